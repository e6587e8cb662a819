// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is to be told of a jail or a filter as it was read: what of it does not
// take effect here, and why a part of it cannot be used.
#include "base/result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sallyport::jail {

// Where a value was written. Line 0: nowhere in a file.
struct Origin {
    std::string file;
    unsigned line = 0;
};

// "FILE:LINE", or "" of a value that stands in no file.
[[nodiscard]] std::string to_string(const Origin& origin);

enum class NoteKind : std::uint8_t {
    not_carried, // has another effect here than in fail2ban, or none
    refused,     // what it belongs to is not used
};

struct Note {
    NoteKind kind = NoteKind::not_carried;
    Origin origin;
    std::string jail; // its name; empty: of the file as a whole
    std::string key;  // "maxlines"
    std::string text;
};
using Notes = std::vector<Note>;

// "FILE:LINE: jail \"x\": maxlines: text", escaped for a terminal.
[[nodiscard]] std::string to_text(const Note& note);

// The same thing said of several jails, said once: "sshd, dropbear and 85 others".
[[nodiscard]] Notes merged(const Notes& notes);

} // namespace sallyport::jail

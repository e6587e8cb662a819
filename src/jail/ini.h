// SPDX-License-Identifier: Apache-2.0
#pragma once
// One of fail2ban's files as Python's configparser reads it: sections, keys in lower
// case, values over several lines by indentation, "; " comments at the end of a line.
// Nothing is interpolated here.
#include "base/result.h"
#include "jail/note.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::jail {

struct Option {
    std::string value;
    Origin origin; // of the key
};
using Options = std::map<std::string, Option, std::less<>>;

struct Section {
    std::string name;
    Options options;
};

struct Ini {
    Options defaults;              // [DEFAULT]
    std::vector<Section> sections; // in the file's order

    [[nodiscard]] const Section* find(std::string_view name) const;
    [[nodiscard]] Section* find(std::string_view name);
};

// What configparser refuses is an error with the line: text before the first section,
// a line that is no "key = value", a section or key that is there twice.
[[nodiscard]] Result<Ini> parse_ini(std::string_view text, const std::string& file);

// Without spaces, tabs and newlines at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);
[[nodiscard]] std::string lower(std::string_view text); // of ASCII
// Pieces between separators, empty ones too.
[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);

} // namespace sallyport::jail

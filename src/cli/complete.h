// SPDX-License-Identifier: Apache-2.0
#pragma once
// What may stand where the cursor is: asked by the shells' completions as
// `sallyport complete WORD...`, the words behind "sallyport", the last one as far as it is
// typed. Needs no daemon and no root, changes nothing, and says nothing when it knows nothing.
#include "cli/exit_code.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <string>
#include <vector>

namespace sallyport {

struct Candidate {
    std::string value;
    std::string meaning; // may be empty
    bool operator==(const Candidate&) const = default;
};

struct Completion {
    std::vector<Candidate> candidates; // all of them begin with what was typed, or mean it
    bool files = false;                // names of files fit too
    bool directories = false;          // names of directories do
};

// `policy_file` has the rules, zones and jails, unless a word names another (-c, --policy).
// What it says of a policy that has errors, or may not be read, is nothing.
[[nodiscard]] Completion complete(const CLI::App& app, const std::vector<std::string>& words,
                                  const std::string& policy_file);

// The commands with their options, as JSON: tools/man makes the manual page of it.
[[nodiscard]] std::string command_tree(const CLI::App& app);

// The hidden command: `complete WORD...`, or `complete --tree`. A candidate a line, with its
// meaning behind a tab; ":files" and ":dirs" stand for names of files.
[[nodiscard]] ExitCode print_completion(const CLI::App& app, const std::vector<std::string>& words);

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
#pragma once
// A regular expression as filters write it: with fail2ban's tags (<HOST>, <F-USER>...)
// in it, and groups whose names say what they hold.
#include "jail/regex.h"
#include "jail/settings.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::jail {

// What a match has found, by name: "ip4", "user", "mlfid". None: the group took no part.
using Groups = std::map<std::string, std::optional<std::string>, std::less<>>;
// The value, unless it is none or empty.
[[nodiscard]] std::optional<std::string> found_in(const Groups& groups, std::string_view name);

// <HOST>, <ADDR>, <IP4>, <IP6>, <DNS>, <CIDR>, <SUBNET>, <F-ID/>, <F-PORT/>, <F-IP4/>,
// <F-NAME>...</F-NAME> become groups; every other <word> stays as it is.
[[nodiscard]] Translated expand_tags(std::string_view pattern, Names names);

class FailRegex {
  public:
    // An error names the pattern's file, line, key and the place within it.
    [[nodiscard]] static Result<FailRegex> compile(const Pattern& pattern, Names names);

    [[nodiscard]] Search search(std::string_view text) { return regex_.search(text); }
    // All named groups of the last match; alt_NAME_1 stands in for a NAME that is none.
    [[nodiscard]] Groups groups() const;
    // Has it a group that tells whom a line is about, or which connection?
    [[nodiscard]] bool identifies() const;
    [[nodiscard]] const Pattern& pattern() const { return pattern_; }

  private:
    FailRegex(Pattern pattern, Regex regex);
    Pattern pattern_;
    Regex regex_;
    std::vector<std::pair<std::string, std::string>> alternates_; // group, stands in for
    std::vector<std::pair<std::string, std::string>> parts_;      // group, is added to
};

} // namespace sallyport::jail

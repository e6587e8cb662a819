// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where the policy in force stands: its file, and the lines of its rules, as far as the
// file still says what was loaded.
#include "base/result.h"
#include "daemon/enforced.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace sallyport::explain {

struct RulePlace {
    std::string name{};
    Direction direction = Direction::ingress;
    unsigned line = 0; // 0: not known
    bool deny = false;
};

struct PolicyPlace {
    std::string file{};   // "": not known
    bool changed = false; // the file is another one by now: its lines are those of today
    std::string unread{}; // why it could not be read; ""
    std::map<std::string, RulePlace> rules{}; // of the file
    std::vector<EnforcedRule> numbered{};     // of the policy in force

    // By the number that a program tells; nullopt: none.
    [[nodiscard]] std::optional<RulePlace> rule(std::uint32_t number) const;
    // A name that no rule has yet.
    [[nodiscard]] std::string free_name(const std::string& wish) const;
};

[[nodiscard]] PolicyPlace find_place(const std::optional<Enforced>& enforced);

} // namespace sallyport::explain

// SPDX-License-Identifier: Apache-2.0
#pragma once
// One rule as iptables-save prints it: "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT".
#include "import/ruleset.h"

#include <functional>
#include <set>
#include <span>
#include <string>

namespace sallyport::imported {

// What `recent` is asked to do, told apart when all rules are known.
struct Recent {
    enum class Act : std::uint8_t { none, set, check };
    Act act = Act::none;
    std::string list = "DEFAULT";
    std::uint64_t seconds = 0;
    std::uint64_t hits = 0;
};

struct ReadRule {
    Rule rule;
    Recent recent;
    bool is_rewriting = false; // changes where a packet goes
};

// `sets`: addresses by ipset's name. `words`: what stands behind the chain's name.
[[nodiscard]] ReadRule read_iptables_rule(std::span<const std::string> words, Family family,
                                          const std::map<std::string, RangeSet>& sets);

} // namespace sallyport::imported

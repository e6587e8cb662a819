// SPDX-License-Identifier: Apache-2.0
#pragma once
// What was imported, as a policy file.
#include "import/openings.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::imported {

// A rule of the policy file, of one protocol or all, for one user or all.
struct DraftRule {
    Direction direction = Direction::ingress;
    Opening opening;                     // where it is from; of its box what follows
    std::map<Family, RangeSet> from, to; // of the families that it is for
    std::string proto;                   // empty: any, of a deny rule
    std::vector<Range> ports;            // none: all
    std::vector<Range> types;
    std::vector<std::string> interfaces; // none: all
    std::optional<std::uint32_t> user;
};

struct Draft {
    std::string source;
    std::vector<std::string> interfaces; // of [host]
    bool icmp_errors = true;
    bool neighbours = true;
    std::vector<DraftRule> rules;
    std::map<Family, std::map<std::string, RangeSet>> sets; // names that zones may bear
    std::vector<Finding> findings;
};

// In as many rules as it takes; joined with one of the other family that is the same.
void add_opening(Draft& draft, Opening opening, Direction direction, Family family);

[[nodiscard]] std::string render_policy(const Draft& draft);

} // namespace sallyport::imported

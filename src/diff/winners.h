// SPDX-License-Identifier: Apache-2.0
#pragma once
// Of two allow rules that match an opening one decides, and its limit and log count. Which
// one that is changes with the order of rules, and with how specific their networks and ports
// are written, though no opening does.
#include "diff/content.h"
#include "diff/sets.h"
#include "diff/space.h"

#include <cstddef>
#include <utility>
#include <vector>

namespace sallyport::diff {

using RulePair = std::pair<std::size_t, std::size_t>; // index in the earlier, in the later policy

struct Overtaken {
    RulePair loser; // decided, somewhere where `winner` does now
    RulePair winner;
    bool operator==(const Overtaken&) const = default;
};

// Of rules that are in both policies, those whose difference in limit or log is felt by it. A
// third rule that decides before both of them, or a deny rule, is not looked for.
[[nodiscard]] std::vector<Overtaken> find_overtaken(const std::vector<RulePair>& rules,
                                                    const Space& space, Sets& sets,
                                                    Contents& contents);
// May the rule, new, gone or changed, take connections into a limit or out of one?
[[nodiscard]] bool touches_limit(Side side, std::size_t rule, const Space& space, Sets& sets,
                                 Contents& contents);

} // namespace sallyport::diff

// SPDX-License-Identifier: Apache-2.0
#pragma once
// The difference of two policies as sets: for every class of openings, the addresses that
// each of them allows, one taken away from the other.
#include "diff/sets.h"
#include "diff/space.h"

#include <set>
#include <vector>

namespace sallyport::diff {

struct Regions {
    std::vector<Region> allowed;   // by the later policy and not by the earlier
    std::vector<Region> forbidden; // by the later policy, and allowed by the earlier
    // Rules of each policy, by index, that any of these is owed to.
    std::set<std::size_t> felt_before;
    std::set<std::size_t> felt_after;
};

[[nodiscard]] Regions find_regions(const Space& space, Sets& sets);

} // namespace sallyport::diff

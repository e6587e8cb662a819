// SPDX-License-Identifier: Apache-2.0
// The cost is that of the sets that match, not of all there are.
#include "compile/matching.h"

#include "compile/addresses.h"

#include <algorithm>

namespace sallyport {

PeerIndex::PeerIndex(std::uint32_t atoms, std::span<const PeerRefs> sets)
    : uses_(atoms), place_of_(sets.size(), 0) {
    for (std::uint32_t set = 0; set < sets.size(); ++set)
        for (const PartRef& part : sets[set]) uses_.at(part.atom).push_back({set, part.globs});
}

std::span<const Match> PeerIndex::matching(std::span<const std::uint32_t> words,
                                           const std::vector<bool>& interface) {
    for (const Match& match : found_) place_of_[match.set] = 0;
    found_.clear();
    for (const std::uint32_t word : words)
        for (const Use& use : uses_[atom_of(word)]) {
            if (!interface[use.globs]) continue;
            std::uint32_t& place = place_of_[use.set];
            if (place == 0) {
                found_.push_back({.set = use.set, .length = 0});
                place = static_cast<std::uint32_t>(found_.size());
            }
            std::uint32_t& length = found_[place - 1].length;
            length = std::max(length, specificity_of(word));
        }
    return found_;
}

} // namespace sallyport

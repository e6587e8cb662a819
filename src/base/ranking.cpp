// SPDX-License-Identifier: Apache-2.0
#include "base/ranking.h"

#include <algorithm>

namespace sallyport {

void Ranking::add(const std::string& name, std::uint64_t count) {
    total_ += count;
    while (count != 0) {
        const auto at = counts_.find(name);
        if (at != counts_.end()) {
            at->second += count;
            return;
        }
        if (counts_.size() < room_) {
            counts_.emplace(name, count);
            return;
        }
        // Everybody gives up as much as the last has, the newcomer too: as much is gone from
        // the counts as has been added to them, so that this costs no more than the adding.
        std::uint64_t least = count;
        for (const auto& [other, has] : counts_) least = std::min(least, has);
        for (auto& [other, has] : counts_) has -= least;
        std::erase_if(counts_, [](const auto& entry) { return entry.second == 0; });
        short_by_ += least;
        count -= least;
        if (room_ == 0) return;
    }
}

std::vector<Ranked> Ranking::top(std::size_t most, const Ranking& before) const {
    std::vector<Ranked> all;
    all.reserve(counts_.size());
    for (const auto& [name, count] : counts_)
        all.push_back({.name = name, .count = count, .is_new = !before.knows(name)});
    const auto is_before = [](const Ranked& a, const Ranked& b) {
        return a.count != b.count ? a.count > b.count : a.name < b.name;
    };
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(most, all.size()));
    std::partial_sort(all.begin(), end, all.end(), is_before);
    all.erase(end, all.end());
    return all;
}

} // namespace sallyport

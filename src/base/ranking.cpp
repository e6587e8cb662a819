// SPDX-License-Identifier: Apache-2.0
#include "base/ranking.h"

#include "base/saturating.h"

#include <algorithm>

namespace sallyport {

void Ranking::add(const std::string& name, std::uint64_t count) {
    total_ = saturating_add(total_, count);
    const auto at = counts_.find(name);
    if (at != counts_.end()) {
        at->second = saturating_add(at->second, count);
        return;
    }
    if (room_ == 0) {
        short_by_ = saturating_add(short_by_, count);
        return;
    }
    if (counts_.size() >= room_) forget_half();
    if (count != 0) counts_.emplace(name, count);
}

// All give up as much as the one in the middle has: half of them or more lose as much as is added
// to short_by_.
void Ranking::forget_half() {
    std::vector<std::uint64_t> all;
    all.reserve(counts_.size());
    for (const auto& [name, has] : counts_) all.push_back(has);
    const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
    std::ranges::nth_element(all, middle);
    const std::uint64_t less = *middle;
    std::erase_if(counts_, [less](const auto& entry) { return entry.second <= less; });
    for (auto& [name, has] : counts_) has -= less;
    short_by_ = saturating_add(short_by_, less);
}

std::vector<Ranked> Ranking::top(std::size_t most, const Ranking& before) const {
    std::vector<Ranked> all;
    all.reserve(counts_.size());
    for (const auto& [name, count] : counts_)
        all.push_back({.name = name,
                       .count = count,
                       .is_new = before.short_by() == 0 && !before.knows(name)});
    const auto is_before = [](const Ranked& a, const Ranked& b) {
        return a.count != b.count ? a.count > b.count : a.name < b.name;
    };
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(most, all.size()));
    std::partial_sort(all.begin(), end, all.end(), is_before);
    all.erase(end, all.end());
    return all;
}

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
#include "top/talkers.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace sallyport::top {

double Talkers::Held::rate(SteadyTime now) const {
    const std::chrono::duration<double> since = now - at;
    return talker.per_second * std::exp(-std::max(since.count(), 0.0) / kMemory.count());
}

void Talkers::forget_half(SteadyTime now) {
    std::vector<double> rates;
    rates.reserve(held_.size());
    for (const auto& [name, held] : held_) rates.push_back(held.rate(now));
    const auto middle = rates.begin() + static_cast<std::ptrdiff_t>(rates.size() / 2);
    std::ranges::nth_element(rates, middle);
    // Of equals so many that half the room is free.
    std::size_t still = held_.size() / 2;
    const double least = *middle;
    for (const bool equals : {false, true})
        still -= std::erase_if(held_, [&, left = still](const auto& entry) mutable {
            const double rate = entry.second.rate(now);
            if (left == 0 || !(equals ? rate == least : rate < least)) return false;
            --left;
            return true;
        });
    has_forgotten_ = true;
}

void Talkers::add(Talker talker, SteadyTime now) {
    auto at = held_.find(talker.name);
    if (at == held_.end()) {
        if (held_.size() >= room_) forget_half(now);
        at = held_.emplace(talker.name, Held{.talker = {}, .at = now}).first;
    }
    Held& held = at->second;
    talker.per_second = held.rate(now) + static_cast<double>(talker.total) / kMemory.count();
    talker.total += held.talker.total;
    held = {.talker = std::move(talker), .at = now};
}

std::vector<Talker> Talkers::all(SteadyTime now) const {
    std::vector<Talker> talkers;
    talkers.reserve(held_.size());
    for (const auto& [name, held] : held_) {
        talkers.push_back(held.talker);
        talkers.back().per_second = held.rate(now);
    }
    return talkers;
}

} // namespace sallyport::top

// SPDX-License-Identifier: Apache-2.0
#include "bans/strikes.h"

#include <algorithm>

namespace sallyport {

Strikes::Strikes(std::size_t count, std::uint64_t span_ns, std::size_t remembered)
    : count_(std::max<std::size_t>(count, 1)), span_ns_(span_ns), most_(remembered) {}

void Strikes::forget(Sources::iterator source) {
    held_ -= source->second.times.size();
    by_last_.erase(source->second.place);
    sources_.erase(source);
}

bool Strikes::strike(const Prefix& source, std::uint64_t at_ns) {
    const auto [at, fresh] = sources_.try_emplace(source);
    Source& its = at->second;
    if (fresh)
        its.place = by_last_.insert(by_last_.end(), source);
    else
        by_last_.splice(by_last_.end(), by_last_, its.place);
    const auto over = std::ranges::find_if(
        its.times, [&](std::uint64_t time) { return time + span_ns_ > at_ns; });
    held_ -= static_cast<std::size_t>(over - its.times.begin());
    its.times.erase(its.times.begin(), over);
    its.times.push_back(at_ns);
    ++held_;
    if (its.times.size() >= count_) {
        forget(at);
        return true;
    }
    while (held_ > most_) forget(sources_.find(by_last_.front()));
    return false;
}

} // namespace sallyport

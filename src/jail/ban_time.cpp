// SPDX-License-Identifier: Apache-2.0
#include "jail/ban_time.h"

#include <algorithm>
#include <cmath>

namespace sallyport::jail {

std::optional<std::chrono::seconds> ban_time(std::optional<std::chrono::seconds> first,
                                             const BanGrowth& growth, unsigned earlier,
                                             double dice) {
    constexpr double kMost = 100 * 366.0 * 24 * 60 * 60;
    constexpr unsigned kDoublings = 20; // fail2ban's own
    if (!first || !growth.on) return first;
    double span = static_cast<double>(first->count());
    if (earlier > 0 && !growth.multipliers.empty())
        span *= growth.factor *
                growth.multipliers[std::min<std::size_t>(earlier, growth.multipliers.size() - 1)];
    else if (earlier > 0)
        span *= growth.factor * std::exp2(std::min(earlier, kDoublings));
    if (growth.most) span = std::min(span, static_cast<double>(growth.most->count()));
    span += dice * static_cast<double>(growth.random.count());
    return std::chrono::seconds(std::llround(std::clamp(span, 1.0, kMost)));
}

unsigned BanHistory::times(const Prefix& source) const {
    const auto found = by_source_.find(source);
    return found == by_source_.end() ? 0 : found->second->times;
}

void BanHistory::set(const Prefix& source, unsigned times) {
    if (const auto found = by_source_.find(source); found != by_source_.end()) {
        by_age_.splice(by_age_.end(), by_age_, found->second);
    } else {
        by_age_.push_back({.prefix = source, .times = 0});
        by_source_[source] = std::prev(by_age_.end());
    }
    by_age_.back().times = times;
    if (by_age_.size() > kSourcesMax) {
        by_source_.erase(by_age_.front().prefix);
        by_age_.pop_front();
    }
}

} // namespace sallyport::jail

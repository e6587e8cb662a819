// SPDX-License-Identifier: Apache-2.0
#include "jail/failure_counter.h"

#include <algorithm>

namespace sallyport::jail {

FailureCounter::FailureCounter(unsigned max_retry, std::chrono::seconds find_time)
    : max_retry_(std::max(1u, max_retry)), find_time_(find_time) {}

unsigned FailureCounter::add(const Prefix& source, LogTime time) {
    const auto found = by_source_.find(source);
    if (found == by_source_.end()) {
        by_age_.push_back({.prefix = source, .times = {}});
        by_source_[source] = std::prev(by_age_.end());
    } else {
        by_age_.splice(by_age_.end(), by_age_, found->second);
    }
    std::vector<LogTime>& times = by_age_.back().times;
    const std::size_t before = times.size();
    times.push_back(time);
    const LogTime latest = std::ranges::max(times);
    std::erase_if(times, [&](LogTime at) { return at < latest - find_time_; });
    failures_ += times.size();
    failures_ -= before;
    const unsigned count = static_cast<unsigned>(times.size());
    if (count >= max_retry_)
        forget(source);
    else
        make_room();
    return count;
}

void FailureCounter::forget(const Prefix& source) {
    const auto found = by_source_.find(source);
    if (found == by_source_.end()) return;
    failures_ -= found->second->times.size();
    by_age_.erase(found->second);
    by_source_.erase(found);
}

void FailureCounter::make_room() {
    while (by_source_.size() > kSourcesMax || failures_ > kFailuresMax) {
        forget(Prefix(by_age_.front().prefix));
        ++displaced_;
    }
}

} // namespace sallyport::jail

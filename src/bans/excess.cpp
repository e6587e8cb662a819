// SPDX-License-Identifier: Apache-2.0
#include "bans/excess.h"

#include <algorithm>

namespace sallyport {
namespace {

constexpr std::uint64_t kSecond = 1000000000;

} // namespace

bool Excess::is_beyond(const Prefix& source, std::uint32_t limit, const Allowance& allowance,
                       std::uint64_t at_ns) {
    const auto known = due_.find({source, limit});
    if (known == due_.end() && due_.size() >= most_) {
        // Looking over all of them for one would be dear; once a second it is not.
        if (at_ns - swept_ns_ < kSecond) return false;
        swept_ns_ = at_ns;
        std::erase_if(due_, [&](const auto& entry) { return entry.second <= at_ns; });
        if (due_.size() >= most_) return false;
    }
    std::uint64_t& due = known == due_.end() ? due_[{source, limit}] : known->second;
    if (due > at_ns && due - at_ns > allowance.ahead_ns) return true;
    due = std::max(due, at_ns) + allowance.interval_ns;
    return false;
}

} // namespace sallyport

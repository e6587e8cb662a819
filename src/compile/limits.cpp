// SPDX-License-Identifier: Apache-2.0
#include "compile/limits.h"

#include <algorithm>

namespace sallyport {

namespace {

// Sources that are not remembered, of one rule: enough for any host's honest newcomers, far
// less than a flood of forged ones, and few enough that they cannot fill the memory at once.
constexpr Rate kFresh{.count = 1000, .per = std::chrono::seconds(1)};
// A /48 may do what so many of its /64s may.
constexpr std::uint64_t kGroup = 16;

sp_rate rate_of(const Rate& rate, std::uint64_t burst) {
    const auto span = static_cast<std::uint64_t>(std::chrono::nanoseconds(rate.per).count());
    const std::uint64_t interval = (span + rate.count - 1) / rate.count;
    return {.interval_ns = interval, .ahead_ns = (burst - 1) * interval};
}

} // namespace

sp_limit compile_limit(const Limit& limit) {
    sp_limit made{};
    made.prefix4 = limit.prefix4;
    made.prefix6 = limit.prefix6;
    made.connections = limit.connections;
    if (limit.rate.count == 0) return made;
    made.source = rate_of(limit.rate, limit.burst);
    if (limit.prefix6 > SP_LIMIT_GROUP6) {
        made.group.interval_ns = std::max<std::uint64_t>(made.source.interval_ns / kGroup, 1);
        made.group.ahead_ns = (limit.burst * kGroup - 1) * made.group.interval_ns;
    }
    if (limit.total) made.total = rate_of(*limit.total, limit.total->count);
    made.fresh = rate_of(kFresh, kFresh.count);
    if (limit.window) {
        made.window_ns =
            static_cast<std::uint64_t>(std::chrono::nanoseconds(limit.rate.per).count());
        made.part_ns = (made.window_ns + SP_WINDOW_PARTS - 1) / SP_WINDOW_PARTS;
    }
    made.number = limit.rate.count;
    made.cookies = limit.cookies;
    return made;
}

} // namespace sallyport

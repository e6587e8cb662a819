// SPDX-License-Identifier: Apache-2.0
#include "daemon/ban_clock.h"

#include <ctime>
#include <fstream>

namespace sallyport {
namespace {

timespec now_of(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return now;
}

} // namespace

BanClock system_ban_clock() {
    BanClock clock;
    clock.boot_ns = [] {
        const timespec now = now_of(CLOCK_BOOTTIME);
        return static_cast<std::uint64_t>(now.tv_sec) * 1000000000u +
               static_cast<std::uint64_t>(now.tv_nsec);
    };
    clock.wall_ms = [] {
        const timespec now = now_of(CLOCK_REALTIME);
        return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
    };
    std::ifstream("/proc/sys/kernel/random/boot_id") >> clock.boot_id;
    return clock;
}

} // namespace sallyport

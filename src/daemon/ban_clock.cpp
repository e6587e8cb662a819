// SPDX-License-Identifier: Apache-2.0
#include "daemon/ban_clock.h"

#include "base/boot_clock.h"

#include <ctime>
#include <fstream>

namespace sallyport {
namespace {

timespec wall_now() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return now;
}

} // namespace

BanClock system_ban_clock() {
    BanClock clock;
    clock.boot_ns = kernel_boot_ns;
    clock.wall_ms = [] {
        const timespec now = wall_now();
        return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
    };
    std::ifstream("/proc/sys/kernel/random/boot_id") >> clock.boot_id;
    return clock;
}

} // namespace sallyport

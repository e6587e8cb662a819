// SPDX-License-Identifier: Apache-2.0
#include "base/boot_clock.h"

#include <ctime>
#include <fstream>
#include <string>
#include <unistd.h>

namespace sallyport {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

// What the namespace adds. None where the kernel has no such namespaces.
std::int64_t read_offset_ns() {
    std::ifstream in("/proc/self/timens_offsets");
    std::string clock;
    for (std::int64_t seconds = 0, rest = 0; in >> clock >> seconds >> rest;)
        if (clock == "boottime") return seconds * kSecond + rest;
    return 0;
}

// A process comes into its namespace when it begins, and stays.
std::int64_t offset_ns() {
    thread_local pid_t known_for = 0;
    thread_local std::int64_t offset = 0;
    if (const pid_t self = ::getpid(); self != known_for) {
        offset = read_offset_ns();
        known_for = self;
    }
    return offset;
}

} // namespace

std::uint64_t kernel_boot_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return static_cast<std::uint64_t>(std::int64_t{now.tv_sec} * kSecond + now.tv_nsec -
                                      offset_ns());
}

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
// The deadline of a trial is on the boot clock, as the programs read it. CLOCK_REALTIME cannot
// be stepped on a machine that others use, and a time namespace does not have one of its own.
// What a namespace can move is the boot clock that its processes see, alone: there boot_ms() is
// asked, which must stay with the programs, who are in none. What these read is shown by
// tests/e2e/clock_test.py, and a guest whose clock is stepped by tests/vm/topology.
#include "kernel/trial.h"

#include <catch2/catch_test_macros.hpp>
#include <ctime>
#include <fcntl.h>
#include <sched.h>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>

using namespace sallyport;

namespace {

constexpr std::uint64_t kDayMs = 86'400'000;
constexpr std::uint64_t kSlackMs = 600'000; // of a machine that is busy
constexpr int kRefused = 77;

std::uint64_t read_ms(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
           static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

bool is_about(std::uint64_t value, std::uint64_t wanted) {
    return value + kSlackMs >= wanted && value <= wanted + kSlackMs;
}

// In a process of the new namespace, whose boot clock alone has moved: 0 when boot_ms() has not.
int look(std::uint64_t boot, std::uint64_t monotonic, std::uint64_t wall) {
    if (!is_about(read_ms(CLOCK_REALTIME), wall)) return 1;
    if (!is_about(read_ms(CLOCK_MONOTONIC), monotonic)) return 2;
    if (!is_about(read_ms(CLOCK_BOOTTIME), boot + kDayMs)) return 3;
    return is_about(boot_ms(), boot) ? 0 : 4;
}

int exit_of(pid_t child) {
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
    return WEXITSTATUS(status);
}

// The namespace is that of children, once its offsets are set.
int look_a_day_ahead() {
    const std::uint64_t boot = boot_ms();
    const std::uint64_t monotonic = read_ms(CLOCK_MONOTONIC);
    const std::uint64_t wall = read_ms(CLOCK_REALTIME);
    if (::unshare(CLONE_NEWTIME) != 0) return kRefused;
    const int offsets = ::open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
    constexpr std::string_view kAhead = "boottime 86400 0\n";
    if (offsets < 0 ||
        ::write(offsets, kAhead.data(), kAhead.size()) != static_cast<ssize_t>(kAhead.size()))
        return kRefused;
    const pid_t child = ::fork();
    if (child == 0) ::_exit(look(boot, monotonic, wall));
    return exit_of(child);
}

} // namespace

TEST_CASE(
    "the clock of a trial's deadline is the kernel's own boot clock, in a time namespace too") {
    const std::uint64_t before = read_ms(CLOCK_BOOTTIME);
    const std::uint64_t now = boot_ms();
    CHECK(before <= now);
    CHECK(now <= read_ms(CLOCK_BOOTTIME));
    const pid_t child = ::fork();
    if (child == 0) ::_exit(look_a_day_ahead());
    const int code = exit_of(child);
    if (code == kRefused) SKIP("no time namespace may be made here");
    CHECK(code == 0);
}

// SPDX-License-Identifier: Apache-2.0
// Events under pressure: over the credit they are held, in a full ring they are
// lost; both are counted, and the verdict stands.
#include "support/bench.h"
#include "support/counters.h"
#include "support/machine.h"

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <thread>

using namespace sallyport;
using namespace sallyport::test;

namespace {

struct Pressure {
    std::uint64_t packets = 0;
    std::uint64_t dropped = 0;
    Counts rose{};
};

// The same refused packet again and again, and nobody reads the ring meanwhile.
Pressure press(const Bench& bench, std::uint64_t packets) {
    Bytes frame = (to_host(Family::v4) / tcp{.dport = 23}).bytes();
    std::uint32_t ifindex = ifindex_of("eth0");
    Pressure out{.packets = packets};
    Counts before = read_counts(bench.maps());
    for (std::uint64_t i = 0; i < packets; ++i) {
        Result<RunResult> result = run_xdp(bench.programs().fd(Program::xdp), frame, ifindex);
        REQUIRE(result.has_value());
        out.dropped += result->action == 1 ? 1 : 0;
    }
    out.rose = rise(before, read_counts(bench.maps()));
    return out;
}

} // namespace

TEST_CASE("over the credit of a second events are held and counted, and packets still dropped") {
    Policy policy = parsed("");
    policy.events.per_second = 5;
    Bench bench{policy};
    // The credit of this second may be spent by the test before.
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    auto start = std::chrono::steady_clock::now();
    Pressure pressed = press(bench, 1000);
    auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - start)
            .count();
    CHECK(pressed.dropped == 1000);
    CHECK(pressed.rose[SP_COUNT_DROPS + SP_REASON_NO_RULE] == 1000);
    CHECK(pressed.rose[SP_COUNT_EVENTS_SENT] + pressed.rose[SP_COUNT_EVENTS_HELD] == 1000);
    CHECK(pressed.rose[SP_COUNT_EVENTS_LOST] == 0);
    CHECK(pressed.rose[SP_COUNT_EVENTS_SENT] >= 1);
    // Five a second and CPU; the seconds begun and every CPU bound it from above.
    std::uint64_t most = 5 * (static_cast<std::uint64_t>(seconds) + 2) * 64;
    CHECK(pressed.rose[SP_COUNT_EVENTS_SENT] <= most);
    CHECK(bench.instance().take_events().size() == pressed.rose[SP_COUNT_EVENTS_SENT]);
}

TEST_CASE("with no credit at all nothing is reported and everything counted") {
    Policy policy = parsed("");
    policy.events.per_second = 0;
    Bench bench{policy};
    Pressure pressed = press(bench, 50);
    CHECK(pressed.dropped == 50);
    CHECK(pressed.rose[SP_COUNT_EVENTS_HELD] == 50);
    CHECK(bench.instance().take_events().empty());
}

TEST_CASE("a full ring loses events, counts them, and drops no packet it would not have dropped") {
    Bench bench{allow_in("ssh", "any", "tcp", "22")};
    Pressure pressed = press(bench, 10000); // a MiB holds fewer
    CHECK(pressed.dropped == 10000);
    CHECK(pressed.rose[SP_COUNT_EVENTS_LOST] > 0);
    CHECK(pressed.rose[SP_COUNT_EVENTS_SENT] + pressed.rose[SP_COUNT_EVENTS_LOST] == 10000);
    Result<RunResult> good = run_xdp(bench.programs().fd(Program::xdp),
                                     (to_host(Family::v4) / tcp{}).bytes(), ifindex_of("eth0"));
    REQUIRE(good.has_value());
    CHECK(good->action == 2);
    CHECK(bench.instance().take_events().size() == pressed.rose[SP_COUNT_EVENTS_SENT]);
    CHECK(bench.xdp(to_host(Family::v4) / tcp{.dport = 23}) ==
          dropped(SP_REASON_NO_RULE)); // and goes on
}

TEST_CASE("a flood of arrivals does not use up the credit of what leaves") {
    Policy policy = parsed("");
    policy.events.per_second = 1;
    Bench bench{policy};
    static_cast<void>(press(bench, 200));
    static_cast<void>(bench.instance().take_events());
    Seen out = bench.tc(from_host(Family::v4) / tcp{.dport = 443});
    CHECK(out == dropped(SP_REASON_NO_RULE));
    CHECK(out.events.size() == 1);
}

TEST_CASE("arrivals that fill their ring leave room for what leaves") {
    Bench bench{allow_in("ssh", "any", "tcp", "22")};
    CHECK(press(bench, 10000).rose[SP_COUNT_EVENTS_LOST] > 0);
    const Counts before = read_counts(bench.maps());
    for (int i = 0; i < 20; ++i) {
        Result<RunResult> result = run_skb(bench.programs().fd(Program::tc_egress),
                                           (from_host(Family::v6) / tcp{.dport = 443}).bytes(),
                                           SkbContext{.ifindex = ifindex_of("eth0")});
        REQUIRE(result.has_value());
    }
    CHECK(rise(before, read_counts(bench.maps()))[SP_COUNT_EVENTS_LOST] == 0);
    std::size_t leaving = 0;
    for (const sp_event& event : bench.instance().take_events())
        leaving += event.direction == SP_EGRESS ? 1u : 0u;
    CHECK(leaving == 20);
}

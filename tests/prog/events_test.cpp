// SPDX-License-Identifier: Apache-2.0
// Events under pressure: over the credit they are held, in a full ring they are
// lost; both are counted, and the verdict stands.
#include "event/capture.h"
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

namespace {

std::vector<Capture> captures_of(const Bench& bench) {
    std::vector<Capture> captures;
    for (const std::vector<std::byte>& record : bench.instance().take_captures()) {
        Result<Capture> capture = decode_capture(record);
        REQUIRE(capture.has_value());
        captures.push_back(*std::move(capture));
    }
    return captures;
}

} // namespace

TEST_CASE("what an event is about is kept as it was, up to what the policy says") {
    for (std::uint32_t most : {0u, 1u, 40u, 256u, 257u, 1000u, 2048u}) {
        Policy policy = parsed("");
        policy.events.capture_bytes = most;
        Bench bench{policy};
        for (std::size_t payload : {0u, 300u, 1300u}) {
            static_cast<void>(bench.instance().take_events());
            static_cast<void>(captures_of(bench));
            Packet in = to_host(Family::v6) / tcp{.dport = 23} / raw{.bytes = Bytes(payload, 0x5a)};
            Packet out =
                from_host(Family::v4) / udp{.dport = 443} / raw{.bytes = Bytes(payload, 0xa5)};
            Seen seen[] = {bench.xdp(in), bench.tc(out)};
            Bytes frames[] = {in.bytes(), out.bytes()};
            std::vector<Capture> captures = captures_of(bench);
            REQUIRE(captures.size() == (most == 0 ? 0 : 2));
            for (std::size_t i = 0; i < captures.size(); ++i) {
                REQUIRE(seen[i].events.size() == 1);
                CHECK(captures[i].layer == CaptureLayer::frame);
                CHECK(captures[i].wire_size == frames[i].size());
                CHECK(captures[i].stamp.at_ns == seen[i].events[0].at_ns);
                CHECK(captures[i].stamp.cpu == seen[i].events[0].cpu);
                frames[i].resize(std::min<std::size_t>(frames[i].size(), most));
                CHECK(captures[i].bytes == frames[i]);
            }
        }
    }
}

TEST_CASE("what passes is not kept, nor what nobody is told of") {
    Policy policy = parsed("");
    policy.events.per_second = 0;
    Bench silent{policy};
    static_cast<void>(captures_of(silent));
    static_cast<void>(press(silent, 20));
    CHECK(captures_of(silent).empty());
    Bench bench{allow_in("ssh", "any", "tcp", "22")};
    static_cast<void>(bench.xdp(to_host(Family::v4) / tcp{}));
    CHECK(captures_of(bench).empty());
}

TEST_CASE("captures that find no room are counted, and cost no event") {
    Bench bench{allow_in("ssh", "any", "tcp", "22")};
    static_cast<void>(bench.instance().take_events());
    static_cast<void>(captures_of(bench));
    Pressure pressed = press(bench, 6000);
    CHECK(pressed.dropped == 6000);
    CHECK(pressed.rose[SP_COUNT_CAPTURES_LOST] > 0);
    CHECK(captures_of(bench).size() + pressed.rose[SP_COUNT_CAPTURES_LOST] ==
          pressed.rose[SP_COUNT_EVENTS_SENT]);
    static_cast<void>(bench.instance().take_events());
}

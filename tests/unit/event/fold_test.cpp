// SPDX-License-Identifier: Apache-2.0
#include "event/fold.h"
#include "support/events.h"

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

using namespace sallyport;
using namespace sallyport::test;
using namespace std::chrono_literals;

namespace {

constexpr SteadyTime kStart{1000s};

} // namespace

TEST_CASE(
    "the first is told at once, the rest as a count when the time is up though nothing follows") {
    Fold fold(10s);
    const Event event = refused_syn();
    const auto first = fold.add(event, kStart);
    REQUIRE(first.size() == 1);
    CHECK(first[0].repeats == 1);
    CHECK(fold.next_deadline() == kStart + 10s);
    for (int i = 1; i <= 17; ++i) CHECK(fold.add(event, kStart + i * 100ms).empty());
    CHECK(fold.due(kStart + 10s - 1ns).empty());
    const auto count = fold.due(kStart + 10s);
    REQUIRE(count.size() == 1);
    CHECK(count[0].repeats == 17);
    CHECK(fold.folded() == 17);
}

TEST_CASE("a count is the latest of its events") {
    Fold fold(10s);
    Event event = refused_syn();
    REQUIRE(fold.add(event, kStart).size() == 1);
    event.src_port = 50001;
    REQUIRE(fold.add(event, kStart).empty());
    event.src_port = 50002;
    REQUIRE(fold.add(event, kStart).empty());
    CHECK(fold.due(kStart + 10s).at(0).src_port == 50002);
}

TEST_CASE("refused sockets of two families are two things") {
    Fold fold(10s);
    Event event = refused_syn();
    event.dst_port.reset();
    for (const std::uint16_t family : {std::uint16_t{17}, std::uint16_t{44}}) {
        event.socket_family = family;
        CHECK(fold.add(event, kStart).size() == 1);
        CHECK(fold.add(event, kStart).empty());
    }
}

TEST_CASE("what happens once is told once and then forgotten") {
    Fold fold(10s);
    REQUIRE(fold.add(refused_syn(), kStart).size() == 1);
    CHECK(fold.due(kStart + 10s).empty());
    CHECK(fold.size() == 0);
    CHECK_FALSE(fold.next_deadline());
    CHECK(fold.add(refused_syn(), kStart + 11s).size() == 1);
}

TEST_CASE("what goes on is told once a time, and when it ends it is forgotten") {
    Fold fold(10s);
    std::uint64_t told = 0;
    std::size_t lines = 0;
    for (int second = 0; second < 100; ++second) {
        for (const Event& event : fold.due(kStart + second * 1s)) told += event.repeats, ++lines;
        for (const Event& event : fold.add(refused_syn(), kStart + second * 1s))
            told += event.repeats, ++lines;
    }
    for (const Event& event : fold.due(kStart + 110s)) told += event.repeats, ++lines;
    CHECK(told == 100);
    CHECK(lines == 11);
    CHECK(fold.due(kStart + 130s).empty());
    CHECK(fold.size() == 0);
}

TEST_CASE("a late repeat that nobody polled for brings the count along before it") {
    Fold fold(10s);
    REQUIRE(fold.add(refused_syn(), kStart).size() == 1);
    REQUIRE(fold.add(refused_syn(), kStart + 1s).empty());
    const auto out = fold.add(refused_syn(), kStart + 10s);
    REQUIRE(out.size() == 2);
    CHECK(out[0].repeats == 1);
    CHECK(out[1].repeats == 1);
    CHECK(fold.size() == 1);
}

TEST_CASE("things that differ in what matters are told apart") {
    const Event base = exfil_attempt();
    const auto changed = [&](auto change) {
        Event event = base;
        change(event);
        return event;
    };
    const std::vector<Event> others{
        changed([](Event& e) { e.dst = addr("203.0.113.10"); }),
        changed([](Event& e) { e.dst = addr("2001:db8::9"); }),
        changed([](Event& e) { e.dst_port = 444; }),
        changed([](Event& e) { e.reason = SP_REASON_DENIED; }),
        changed([](Event& e) { e.proto = 17; }),
        changed([](Event& e) { e.pid = 4243; }),
        changed([](Event& e) { e.kind = EventKind::would_drop; }),
        changed([](Event& e) { e.direction = SP_FORWARD; }),
        changed([](Event& e) { e.exfil = false; }),
    };
    Fold fold(10s);
    REQUIRE(fold.add(base, kStart).size() == 1);
    for (const Event& event : others) CHECK(fold.add(event, kStart).size() == 1);
    CHECK(fold.size() == others.size() + 1);
}

TEST_CASE("things that differ only in what does not matter are one") {
    Fold fold(10s);
    Event event = exfil_attempt();
    REQUIRE(fold.add(event, kStart).size() == 1);
    event.src_port = 1;
    event.len = 1500;
    event.seq = 9;
    event.at += 1s;
    event.iface = "eth1";
    CHECK(fold.add(event, kStart).empty());
}

TEST_CASE(
    "for ingress the process is nothing, for egress without a pid its cgroup and name count") {
    Fold fold(10s);
    Event in = refused_syn();
    in.pid = 1;
    REQUIRE(fold.add(in, kStart).size() == 1);
    in.pid = 2;
    CHECK(fold.add(in, kStart).empty());

    Event out = exfil_attempt();
    out.pid.reset();
    out.cgroup_id = 5;
    REQUIRE(fold.add(out, kStart).size() == 1);
    CHECK(fold.add(out, kStart).empty());
    out.cgroup_id = 6;
    CHECK(fold.add(out, kStart).size() == 1);
    out.comm = "curl";
    CHECK(fold.add(out, kStart).size() == 1);
}

TEST_CASE("ICMP is told apart by its type") {
    Fold fold(10s);
    Event event = refused_syn();
    event.dst_port = event.src_port = std::nullopt;
    event.proto = 1;
    event.icmp_type = 8;
    REQUIRE(fold.add(event, kStart).size() == 1);
    CHECK(fold.add(event, kStart).empty());
    event.icmp_type = 13;
    CHECK(fold.add(event, kStart).size() == 1);
}

TEST_CASE("new connections, losses, switches and hooks are never folded") {
    Fold fold(10s);
    for (const EventKind kind : {EventKind::opened, EventKind::lost, EventKind::policy,
                                 EventKind::hook, EventKind::socket}) {
        Event event = refused_syn();
        event.kind = kind;
        CHECK(fold.add(event, kStart).size() == 1);
        CHECK(fold.add(event, kStart).size() == 1);
    }
    CHECK(fold.size() == 0);
}

TEST_CASE("with no time to fold in, everything is told") {
    Fold fold(0s);
    CHECK(fold.add(refused_syn(), kStart).size() == 1);
    CHECK(fold.add(refused_syn(), kStart).size() == 1);
    CHECK(fold.size() == 0);
}

TEST_CASE("memory is bounded: when full the oldest goes, and its count is told") {
    Fold fold(10s, 4);
    const auto from = [](int i) { return refused_syn(fmt::format("192.0.2.{}", i)); };
    for (int i = 0; i < 4; ++i) REQUIRE(fold.add(from(i), kStart + i * 1ms).size() == 1);
    REQUIRE(fold.add(from(0), kStart + 5ms).empty());
    const auto out = fold.add(from(4), kStart + 6ms);
    REQUIRE(out.size() == 2);
    CHECK(out[0].src == addr("192.0.2.0"));
    CHECK(out[0].repeats == 1);
    CHECK(out[1].src == addr("192.0.2.4"));
    CHECK(fold.size() == 4);
    for (int i = 5; i < 200; ++i) {
        CHECK(fold.add(from(i), kStart + 7ms).size() == 1); // the oldest had no count
        CHECK(fold.size() == 4);
    }
}

TEST_CASE("nothing gets lost or told twice, whatever comes in what order") {
    Fold fold(5s, 8);
    std::uint64_t told = 0;
    std::uint32_t state = 12345;
    const auto dice = [&](std::uint32_t sides) {
        state = state * 1664525 + 1013904223;
        return (state >> 16) % sides;
    };
    SteadyTime now = kStart;
    constexpr std::uint64_t kEvents = 20000;
    for (std::uint64_t i = 0; i < kEvents; ++i) {
        now += std::chrono::milliseconds{dice(500)};
        if (dice(3) == 0)
            for (const Event& event : fold.due(now)) told += event.repeats;
        if (dice(1000) == 0) fold.set_repeat(std::chrono::seconds{dice(9)});
        const Event event = refused_syn(fmt::format("192.0.2.{}", dice(12)));
        for (const Event& out : fold.add(event, now)) told += out.repeats;
        CHECK(fold.size() <= 8);
    }
    for (const Event& event : fold.flush()) told += event.repeats;
    CHECK(told == kEvents);
    CHECK(fold.size() == 0);
}

TEST_CASE("a shorter time after a reload comes due before the longer ones that stand") {
    Fold fold(60s);
    REQUIRE(fold.add(refused_syn("192.0.2.1"), kStart).size() == 1);
    REQUIRE(fold.add(refused_syn("192.0.2.1"), kStart).empty());
    fold.set_repeat(1s);
    REQUIRE(fold.add(refused_syn("192.0.2.2"), kStart).size() == 1);
    REQUIRE(fold.add(refused_syn("192.0.2.2"), kStart).empty());
    CHECK(fold.next_deadline() == kStart + 1s);
    CHECK(fold.due(kStart + 1s).at(0).src == addr("192.0.2.2"));
    CHECK(fold.flush().at(0).src == addr("192.0.2.1"));
}

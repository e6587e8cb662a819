// SPDX-License-Identifier: Apache-2.0
// Counters to rates, events to who is at it.
#include "support/events.h"
#include "top/model.h"

#include <algorithm>
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

using namespace sallyport;
using namespace sallyport::top;
using namespace sallyport::test;
using namespace std::chrono_literals;
using Catch::Approx;

namespace {

const SteadyTime kStart{1h};

Talker talker(const std::string& name, std::uint64_t count) {
    return {.name = name, .per_second = 0, .total = count, .last = some_time(), .detail = ""};
}

const Talker& named(const std::vector<Talker>& rows, const std::string& name) {
    const auto at = std::ranges::find(rows, name, &Talker::name);
    REQUIRE(at != rows.end());
    return *at;
}

} // namespace

TEST_CASE("a meter knows a rate from its second reading on") {
    Meter meter;
    meter.take({.packets = 1000, .bytes = 5000}, kStart);
    CHECK((meter.packets_per_second() == 0 && meter.history().empty()));
    meter.take({.packets = 1030, .bytes = 6500}, kStart + 3s);
    CHECK(meter.packets_per_second() == Approx(10));
    CHECK(meter.bits_per_second() == Approx(4000));
    CHECK(meter.history().size() == 1);
}

TEST_CASE("counters that begin anew are no flood, and a clock that stands is no division") {
    Meter meter;
    meter.take({.packets = 1000, .bytes = 5000}, kStart);
    meter.take({.packets = 3, .bytes = 300}, kStart + 1s);
    CHECK(meter.packets_per_second() == 0);
    meter.take({.packets = 500, .bytes = 600}, kStart + 1s);
    CHECK(meter.packets_per_second() == 0);
    meter.take({.packets = 510, .bytes = 600}, kStart + 2s);
    CHECK(meter.packets_per_second() == Approx(10));
}

TEST_CASE("a meter's history is bounded") {
    Meter meter;
    for (int i = 0; i < 2000; ++i)
        meter.take({.packets = static_cast<std::uint64_t>(i), .bytes = 0}, kStart + i * 1s);
    CHECK(meter.history().size() == Meter::kHistory);
}

TEST_CASE("a rate forgets, a total does not") {
    Talkers talkers;
    talkers.add(talker("a", 100), kStart);
    CHECK(named(talkers.all(kStart), "a").per_second == Approx(10));
    const std::vector<Talker> later = talkers.all(kStart + 10s);
    CHECK(named(later, "a").per_second == Approx(10 / 2.71828).epsilon(0.001));
    CHECK(named(later, "a").total == 100);
    for (int i = 0; i < 1000; ++i) talkers.add(talker("b", 5), kStart + i * 100ms);
    CHECK(named(talkers.all(kStart + 100s), "b").per_second == Approx(50).epsilon(0.02));
}

TEST_CASE("who comes often stays when there is no room for all") {
    Talkers talkers(64);
    SteadyTime now = kStart;
    for (int i = 0; i < 10000; ++i) {
        now += 1ms;
        talkers.add(talker("often", 1), now);
        talkers.add(talker(fmt::format("once {}", i), 1), now);
    }
    const std::vector<Talker> all = talkers.all(now);
    CHECK(all.size() <= 64);
    CHECK(named(all, "often").total == 10000);
    CHECK(talkers.has_forgotten());
}

TEST_CASE("equals make room too") {
    Talkers talkers(8);
    for (int i = 0; i < 100; ++i) talkers.add(talker(fmt::to_string(i), 1), kStart);
    CHECK(talkers.all(kStart).size() <= 8);
    CHECK(talkers.all(kStart).size() >= 4);
}

TEST_CASE("an arrival counts for its source, a way out for its process and destination") {
    Model model;
    Event arrival = refused_syn();
    arrival.repeats = 4;
    model.take(arrival, kStart);
    model.take(exfil_attempt(), kStart);
    CHECK(named(model.sources().all(kStart), "192.0.2.7").total == 4);
    CHECK(named(model.sources().all(kStart), "192.0.2.7").detail == "no-rule, tcp 22");
    CHECK(named(model.destinations().all(kStart), "203.0.113.9:443").total == 17);
    CHECK(named(model.processes().all(kStart), "python3 (ollama.service)").detail ==
          "no-rule, to 203.0.113.9:443");
    CHECK(model.host() == "gpu-07");
}

TEST_CASE("what is no refusal is nobody's") {
    Model model;
    for (const EventKind kind :
         {EventKind::policy, EventKind::hook, EventKind::ban, EventKind::lost, EventKind::limit}) {
        Event event = refused_syn();
        event.kind = kind;
        model.take(event, kStart);
    }
    CHECK(model.sources().all(kStart).empty());
}

TEST_CASE("an attempt to leave is one row however often it is tried, the latest first") {
    Model model;
    Event first = exfil_attempt();
    Event second = exfil_attempt();
    second.dst = addr("2001:db8::9");
    second.repeats = 1;
    model.take(first, kStart);
    model.take(second, kStart);
    first.at += 1s;
    first.repeats = 3;
    model.take(first, kStart);
    REQUIRE(model.attempts().size() == 2);
    CHECK(model.attempts()[0].where == "203.0.113.9:443");
    CHECK(model.attempts()[0].times == 20);
    CHECK(model.attempts()[0].at == first.at);
    CHECK(model.attempts()[1].where == "[2001:db8::9]:443");
    CHECK(model.attempts_total() == 21);
}

TEST_CASE("attempts are bounded, their number is not") {
    Model model;
    for (std::uint16_t port = 1; port <= 1000; ++port) {
        Event event = exfil_attempt();
        event.dst_port = port;
        event.repeats = 1;
        model.take(event, kStart);
    }
    CHECK(model.attempts().size() == Model::kAttempts);
    CHECK(model.attempts_total() == 1000);
}

TEST_CASE("rules and reasons are the wall's counters, and one that is gone is gone") {
    Model model;
    Counts counts;
    counts.rules = {
        {.name = "ssh", .direction = "ingress", .admitted = 10, .refused = 2, .bytes = 0}};
    counts.reasons = {{"no-rule", 5}};
    model.take(counts, some_time(), kStart);
    CHECK(model.rules()[0].last == WallTime{});
    counts.rules[0].admitted = 20;
    counts.reasons["no-rule"] = 7;
    model.take(counts, some_time(), kStart + 2s);
    CHECK(model.rules()[0].per_second == Approx(5));
    CHECK(model.rules()[0].total == 22);
    CHECK(model.rules()[0].last == some_time());
    CHECK(model.rules()[0].detail == "ingress, 2 refused");
    CHECK(model.reasons()[0].per_second == Approx(1));
    CHECK_FALSE(model.reasons()[0].detail.empty());
    counts.rules.clear();
    model.take(counts, some_time(), kStart + 3s);
    CHECK(model.rules().empty());
}

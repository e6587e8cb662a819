// SPDX-License-Identifier: Apache-2.0
#include "event/limited.h"
#include "support/events.h"

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

using namespace sallyport;
using namespace sallyport::test;
using namespace std::chrono_literals;

namespace {

constexpr SteadyTime kStart{1000s};

Event over_limit(std::string_view from, std::string_view rule = "ollama") {
    Event event = refused_syn(from, 11434);
    event.reason = SP_REASON_OVER_LIMIT;
    event.rule = rule;
    return event;
}

Event told(Limited& limited, const Event& event, SteadyTime at, SourceWidth width = {}) {
    const std::optional<Event> begins = limited.add(event, width, at);
    if (!begins) FAIL("nothing was told");
    return *begins;
}

} // namespace

TEST_CASE("a source begins to be limited once, and ceases with the count when nothing came") {
    for (const char* who : {"192.0.2.7", "2001:db8::7"}) {
        Limited limited(10s);
        const Event begins = told(limited, over_limit(who), kStart);
        CHECK(begins.kind == EventKind::limit);
        CHECK(begins.state == EventState::begins);
        CHECK(begins.rule == "ollama");
        CHECK(begins.src == addr(who));
        CHECK(begins.direction == SP_INGRESS);
        CHECK(begins.reason == 0); // the refusals have one; this is none
        CHECK(begins.count == 0);
        for (int i = 1; i <= 4; ++i) CHECK_FALSE(limited.add(over_limit(who), {}, kStart + i * 5s));
        CHECK(limited.due(kStart + 30s - 1ns).empty());
        const std::vector<Event> ends = limited.due(kStart + 30s);
        REQUIRE(ends.size() == 1);
        CHECK(ends[0].state == EventState::ends);
        CHECK(ends[0].count == 5);
        CHECK(ends[0].network == begins.network);
        CHECK(ends[0].src == begins.src);
        CHECK(limited.size() == 0);
        CHECK(told(limited, over_limit(who), kStart + 31s).state == EventState::begins);
    }
}

TEST_CASE("it takes ten seconds of quiet at least, and [events] repeat where that is more") {
    for (const auto& [repeat, quiet] : {std::pair{0s, 10s}, {1s, 10s}, {60s, 60s}}) {
        Limited limited(repeat);
        static_cast<void>(told(limited, over_limit("192.0.2.7"), kStart));
        CHECK(limited.due(kStart + quiet - 1ns).empty());
        CHECK(limited.due(kStart + quiet).size() == 1);
    }
}

TEST_CASE("a source is what the rule counts as one") {
    Limited limited(10s);
    CHECK(told(limited, over_limit("2001:db8:1:2::7"), kStart).network ==
          parse_prefix("2001:db8:1:2::/64").value());
    CHECK_FALSE(limited.add(over_limit("2001:db8:1:2::8"), {}, kStart));
    CHECK(limited.add(over_limit("2001:db8:1:3::7"), {}, kStart));
    CHECK(told(limited, over_limit("192.0.2.7"), kStart).network ==
          parse_prefix("192.0.2.7").value());
    CHECK(limited.add(over_limit("192.0.2.8"), {}, kStart));
    // Each rule counts by itself, and as wide as it says.
    const SourceWidth wide{.prefix4 = 24, .prefix6 = 48};
    CHECK(told(limited, over_limit("192.0.2.7", "web"), kStart, wide).network ==
          parse_prefix("192.0.2.0/24").value());
    CHECK_FALSE(limited.add(over_limit("192.0.2.8", "web"), wide, kStart));
    CHECK(limited.add(over_limit("2001:db8:1:2::7", "web"), wide, kStart));
    CHECK_FALSE(limited.add(over_limit("2001:db8:1:3::7", "web"), wide, kStart));
    // Behind NAT64 each address is one.
    CHECK(limited.add(over_limit("64:ff9b::c000:207"), {}, kStart));
    CHECK(limited.add(over_limit("64:ff9b::c000:208"), {}, kStart));
}

TEST_CASE("only what a limit refuses makes somebody limited, in observe mode too") {
    Limited limited(10s);
    CHECK_FALSE(limited.add(refused_syn(), {}, kStart));
    Event event = over_limit("192.0.2.7");
    event.reason = SP_REASON_TOO_MANY_CONNECTIONS;
    CHECK_FALSE(limited.add(event, {}, kStart));
    event = over_limit("192.0.2.7");
    event.kind = EventKind::opened;
    CHECK_FALSE(limited.add(event, {}, kStart));
    CHECK(limited.size() == 0);
    event.kind = EventKind::would_drop;
    CHECK(told(limited, event, kStart).detail == "observed only, nothing is refused");
}

TEST_CASE("a flood from many sources is told as a few and one, and takes no more memory") {
    Limited limited(10s, 20, 8);
    std::size_t begins = 0;
    for (int i = 0; i < 1000; ++i)
        begins += limited.add(over_limit(fmt::format("10.1.{}.{}", i / 250, i % 250)), {}, kStart)
                      .has_value();
    CHECK(begins == 9);
    CHECK(limited.size() == 9);
    // Each further quiet time may tell eight more, until the table is full.
    for (int time = 1; time < 9; ++time)
        for (int i = 0; i < 1000; ++i)
            begins += limited
                          .add(over_limit(fmt::format("10.1.{}.{}", i / 250, i % 250)), {},
                               kStart + time * 10s)
                          .has_value();
    CHECK(begins == 20);
    CHECK(limited.size() == 20); // with the one for what is beyond
    std::uint64_t refused = 0;
    std::size_t nameless = 0;
    for (const Event& ends : limited.flush()) {
        refused += ends.count;
        if (ends.network) continue;
        ++nameless;
        CHECK(ends.rule.empty());
        CHECK(ends.detail == "more sources than are told one by one");
    }
    CHECK(nameless == 1);
    CHECK(refused == 9000);
    CHECK(limited.size() == 0);
}

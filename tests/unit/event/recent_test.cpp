// SPDX-License-Identifier: Apache-2.0
// What is remembered of the stream, how far back, and what a flood throws out.
#include "event/recent.h"
#include "support/events.h"

#include <catch2/catch_test_macros.hpp>
#include <vector>

using namespace sallyport;
using namespace sallyport::test;
using namespace std::chrono_literals;

namespace {

using Time = std::chrono::steady_clock::time_point;

Recent::Kept one(std::uint64_t seq, std::uint8_t direction = SP_INGRESS) {
    Recent::Kept kept;
    kept.event.seq = seq;
    kept.event.direction = direction;
    return kept;
}

std::vector<std::uint64_t> rest(const Recent& recent, Recent::Place& place,
                                std::uint64_t* missed = nullptr) {
    std::vector<std::uint64_t> out;
    for (;;) {
        const Recent::Step step = recent.next(place);
        if (missed != nullptr) *missed += step.missed;
        if (step.kept == nullptr) return out;
        out.push_back(step.kept->event.seq);
    }
}

} // namespace

TEST_CASE("what is remembered comes in the order in which it was told") {
    Recent recent(1 << 20);
    const Time start{};
    for (std::uint64_t seq = 1; seq <= 6; ++seq)
        recent.keep(one(seq, seq % 3 == 0 ? SP_EGRESS : SP_INGRESS), start + seq * 1s);
    Recent::Place all = recent.since(start);
    CHECK(rest(recent, all) == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6});
    CHECK(rest(recent, all).empty());
    Recent::Place some = recent.since(start + 4s);
    CHECK(rest(recent, some) == std::vector<std::uint64_t>{4, 5, 6});
    Recent::Place none = recent.since(start + 7s);
    CHECK(rest(recent, none).empty());
    recent.keep(one(7), start + 8s);
    CHECK(rest(recent, none) == std::vector<std::uint64_t>{7});
    CHECK(rest(recent, all) == std::vector<std::uint64_t>{7});
}

TEST_CASE("nothing is remembered of nothing") {
    Recent recent(1 << 20);
    Recent::Place place = recent.since(Time{});
    CHECK(rest(recent, place).empty());
    Recent without(0);
    without.keep(one(1), Time{});
    CHECK(without.size() == 0);
}

TEST_CASE("a flood of arrivals throws out arrivals alone, and a late reader learns how many") {
    Recent recent(64 << 10);
    recent.keep(one(1, SP_EGRESS), Time{});
    recent.keep(one(2), Time{});
    Recent::Place place = recent.since(Time{});
    for (std::uint64_t seq = 3; seq < 10'000; ++seq) recent.keep(one(seq), Time{} + 1s);
    CHECK(recent.size() < 1000);
    std::uint64_t missed = 0;
    const auto seen = rest(recent, place, &missed);
    CHECK(seen.front() == 1);
    CHECK(seen.back() == 9999);
    CHECK(missed + seen.size() == 9999);
}

// SPDX-License-Identifier: Apache-2.0
// Counting sources, and what of it is nobody's fault.
#include "bans/excess.h"
#include "bans/strikes.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;

namespace {

constexpr std::uint64_t kSecond = 1000000000;

Prefix source(const char* text) {
    return parse_prefix(text).value();
}

Prefix numbered(std::uint32_t number) {
    return prefix_of(Address::v4(0x0a000000 + number), 128);
}

} // namespace

TEST_CASE("as many strikes as it takes within the span, and not one less") {
    for (const char* text : {"10.0.0.1", "fd00:1::/64"}) {
        Strikes strikes(3, 10 * kSecond);
        CHECK_FALSE(strikes.strike(source(text), 1 * kSecond));
        CHECK_FALSE(strikes.strike(source(text), 5 * kSecond));
        CHECK(strikes.strike(source(text), 10 * kSecond));
        // They begin anew.
        CHECK(strikes.remembered() == 0);
        CHECK_FALSE(strikes.strike(source(text), 10 * kSecond));
    }
}

TEST_CASE("a strike that is as old as the span counts no more") {
    Strikes strikes(3, 10 * kSecond);
    CHECK_FALSE(strikes.strike(source("10.0.0.1"), 1 * kSecond));
    CHECK_FALSE(strikes.strike(source("10.0.0.1"), 5 * kSecond));
    CHECK_FALSE(strikes.strike(source("10.0.0.1"), 11 * kSecond));
    CHECK(strikes.strike(source("10.0.0.1"), 14 * kSecond));
}

TEST_CASE("sources are counted apart") {
    Strikes strikes(2, 10 * kSecond);
    CHECK_FALSE(strikes.strike(source("10.0.0.1"), kSecond));
    CHECK_FALSE(strikes.strike(source("10.0.0.2"), kSecond));
    CHECK_FALSE(strikes.strike(source("fd00:1::/64"), kSecond));
    CHECK(strikes.strike(source("10.0.0.2"), kSecond));
}

TEST_CASE("one strike is enough where one is asked for") {
    Strikes strikes(1, kSecond);
    CHECK(strikes.strike(source("10.0.0.1"), 0));
    CHECK(strikes.remembered() == 0);
}

TEST_CASE("when memory is full, who is quiet for the longest is forgotten") {
    Strikes strikes(3, 1000 * kSecond, 100);
    CHECK_FALSE(strikes.strike(numbered(0), 1));
    CHECK_FALSE(strikes.strike(numbered(1), 2));
    CHECK_FALSE(strikes.strike(numbered(0), 3)); // not quiet
    for (std::uint32_t i = 2; i < 100; ++i) {
        CHECK_FALSE(strikes.strike(numbered(i), 10 + i));
        CHECK(strikes.remembered() <= 100);
    }
    CHECK(strikes.strike(numbered(0), 200));
    CHECK_FALSE(strikes.strike(numbered(1), 201));
    CHECK_FALSE(strikes.strike(numbered(1), 202));
}

TEST_CASE("what a limit lets in is no excess, what is beyond it is") {
    const Allowance allowance{.interval_ns = kSecond, .ahead_ns = 2 * kSecond}; // 1/s, burst 3
    Excess excess;
    const Prefix proxy = source("10.0.0.1");
    for (int i = 0; i < 3; ++i) CHECK_FALSE(excess.is_beyond(proxy, 1, allowance, kSecond));
    CHECK(excess.is_beyond(proxy, 1, allowance, kSecond));
    // Another rule, another source.
    CHECK_FALSE(excess.is_beyond(proxy, 2, allowance, kSecond));
    CHECK_FALSE(excess.is_beyond(source("10.0.0.2"), 1, allowance, kSecond));
    // Its rate goes on for ever.
    for (std::uint64_t second = 2; second < 100; ++second)
        CHECK_FALSE(excess.is_beyond(proxy, 1, allowance, second * kSecond));
    CHECK(excess.is_beyond(proxy, 1, allowance, 99 * kSecond));
}

TEST_CASE("a source for which there is no room is in no excess, and room comes back") {
    const Allowance allowance{.interval_ns = 10 * kSecond, .ahead_ns = 0};
    Excess excess(10);
    for (std::uint32_t i = 0; i < 10; ++i)
        CHECK_FALSE(excess.is_beyond(numbered(i), 1, allowance, 5 * kSecond));
    for (int i = 0; i < 3; ++i)
        CHECK_FALSE(excess.is_beyond(numbered(10), 1, allowance, 6 * kSecond));
    CHECK(excess.is_beyond(numbered(9), 1, allowance, 6 * kSecond));
    CHECK(excess.remembered() == 10);
    CHECK_FALSE(excess.is_beyond(numbered(10), 1, allowance, 20 * kSecond));
    CHECK(excess.is_beyond(numbered(10), 1, allowance, 20 * kSecond));
    CHECK(excess.remembered() == 1);
}

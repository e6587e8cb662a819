// SPDX-License-Identifier: Apache-2.0
#include "compile/compile.h"
#include "compile/limits.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;

namespace {

Limit limit_of(std::uint32_t count, std::chrono::seconds per, std::uint32_t burst) {
    Limit limit;
    limit.rate = {.count = count, .per = per};
    limit.burst = burst;
    return limit;
}

Rule allow(const std::string& name) {
    Rule rule;
    rule.name = name;
    rule.from = any_peer();
    rule.services.ranges = {{.proto = 6, .low = 80, .high = 80}};
    return rule;
}

} // namespace

TEST_CASE("an interval is rounded up, so that no span holds more than it was asked for") {
    const sp_limit seventh = compile_limit(limit_of(7, std::chrono::seconds(60), 7));
    CHECK(seventh.source.interval_ns == 8'571'428'572);
    CHECK(seventh.source.ahead_ns == 6 * seventh.source.interval_ns);
    CHECK(seventh.window_ns == 0);
    const sp_limit third = compile_limit(limit_of(20, std::chrono::minutes(1), 1));
    CHECK(third.source.interval_ns == 3'000'000'000);
    CHECK(third.source.ahead_ns == 0);
    CHECK(third.total.interval_ns == 0);
    CHECK(third.fresh.interval_ns != 0);
}

TEST_CASE("a /48 gets what sixteen sources may, unless a source is as large") {
    Limit limit = limit_of(20, std::chrono::minutes(1), 20);
    const sp_limit made = compile_limit(limit);
    CHECK(made.group.interval_ns * 16 <= made.source.interval_ns);
    CHECK(made.group.ahead_ns / made.group.interval_ns == 20 * 16 - 1);
    limit.prefix6 = 48;
    CHECK(compile_limit(limit).group.interval_ns == 0);
}

TEST_CASE("rules with limits number them, beside their other flags, in the order of the file") {
    Policy policy;
    policy.rules = {allow("free"), allow("slow"), allow("slower")};
    policy.rules[1].limit = limit_of(20, std::chrono::minutes(1), 20);
    policy.rules[1].log_new = true;
    policy.rules[2].limit = limit_of(1, std::chrono::hours(1), 1);
    policy.rules[2].limit->window = true;
    const Result<MapImage> image =
        compile(policy, {.generation = 1, .interfaces = {"eth0"}, .counters = {}});
    REQUIRE(image);
    REQUIRE(image->limits.size() == 2);
    CHECK(image->rules[0].flags == 0);
    CHECK(image->rules[1].flags == (1u << SP_RULE_LIMIT_SHIFT | SP_RULE_LOG_NEW));
    CHECK(image->rules[2].flags == 2u << SP_RULE_LIMIT_SHIFT);
    CHECK(image->limits[1].window_ns == 3'600'000'000'000);
    CHECK(image->limits[1].part_ns == 240'000'000'000);
    CHECK(image->limits[1].number == 1);
}

TEST_CASE("a limit of what is not let in from outside does not compile") {
    Policy policy;
    policy.rules = {allow("r")};
    policy.rules[0].limit = limit_of(1, std::chrono::seconds(1), 1);
    policy.rules[0].deny = true;
    CHECK_FALSE(compile(policy, {.generation = 1, .interfaces = {"eth0"}, .counters = {}}));
    policy.rules[0].deny = false;
    policy.rules[0].direction = Direction::egress;
    policy.rules[0].to = any_peer();
    CHECK_FALSE(compile(policy, {.generation = 1, .interfaces = {"eth0"}, .counters = {}}));
}

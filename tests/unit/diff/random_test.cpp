// SPDX-License-Identifier: Apache-2.0
// The difference against the evaluator: what it says of an opening is what two evaluations say.
#include "diff/compare.h"
#include "policy/evaluate.h"
#include "support/random_policy.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <utility>

using namespace sallyport;
using namespace sallyport::diff;

namespace {

bool is_guarded(const Policy& policy, const std::string& name) {
    return std::ranges::any_of(policy.host.interfaces,
                               [&](const auto& glob) { return glob_matches(glob, name); });
}

// What opens, by the evaluator, by who may ping, and where nothing is judged.
bool is_open(const Policy& policy, const Opening& opening) {
    if (opening.direction == Direction::ingress) {
        if (!is_guarded(policy, opening.interface)) return true;
        const bool is_ping = (opening.proto == 1 && opening.port == 8) ||
                             (opening.proto == 58 && opening.port == 128);
        if (is_ping && matches(policy.essentials.ping, opening.source, opening.interface))
            return true;
    }
    return evaluate(policy, opening).answer == Answer::allowed;
}

bool is_in(const Space& space, const std::vector<Region>& regions, const Opening& opening) {
    return std::ranges::any_of(
        regions, [&](const Region& region) { return space.holds(region, opening).value(); });
}

// A later policy: the earlier with rules altered, or another one.
Policy altered(test::Dice& dice, const Policy& before, const test::PolicyShape& shape) {
    Policy other = test::random_policy(dice, shape);
    if (dice.once_in(3)) return other;
    Policy after = before;
    if (!after.rules.empty() && dice.once_in(2))
        after.rules.erase(after.rules.begin() +
                          static_cast<std::ptrdiff_t>(dice.roll(after.rules.size())));
    if (!other.rules.empty()) after.rules.push_back(other.rules.front());
    if (dice.once_in(3)) after.essentials.ping = other.essentials.ping;
    if (dice.once_in(4)) after.host.cgroup = other.host.cgroup;
    if (!after.rules.empty() && dice.once_in(3)) after.rules.front().deny = dice.once_in(2);
    return after;
}

// Each prefix in two halves: the same addresses, matched more specifically. Half of an IPv6
// prefix that ends where IPv4's mapped addresses begin would be IPv4.
PeerSet halved(const PeerSet& peers) {
    PeerSet finer = peers;
    for (PeerPart& part : finer.parts) {
        std::vector<Prefix> halves;
        for (const Prefix& prefix : *part.networks) {
            Prefix half = prefix;
            if (prefix.length < 128 && prefix.length != 95) ++half.length;
            halves.push_back(half);
            if (half == prefix) continue;
            half.base.bytes[prefix.length / 8] |=
                static_cast<std::uint8_t>(0x80 >> prefix.length % 8);
            halves.push_back(half);
        }
        part.networks = std::make_shared<const std::vector<Prefix>>(std::move(halves));
    }
    return finer;
}

// For some rules another one for nearly the same, which limits or logs otherwise.
Policy with_rivals(test::Dice& dice, Policy policy) {
    const std::vector<Rule> rules = policy.rules;
    for (const Rule& rule : rules) {
        if (rule.deny || dice.once_in(4)) continue;
        Rule rival = rule;
        rival.name += " or else";
        rival.log_new = !rule.log_new;
        if (rule.limit) rival.limit = std::nullopt;
        if (dice.once_in(4)) rival.services = dice.pick(rules).services;
        policy.rules.push_back(std::move(rival));
    }
    return policy;
}

// The same rules in another order, by other names, and some of them written otherwise.
Policy rewritten(test::Dice& dice, const Policy& before) {
    Policy after = before;
    std::vector<Rule>& rules = after.rules;
    for (Rule& rule : rules) {
        if (dice.once_in(3)) rule.name += " by another name";
        if (dice.once_in(8)) rule.from = halved(rule.from);
        if (dice.once_in(8)) rule.to = halved(rule.to);
    }
    if (rules.size() > 1)
        for (std::size_t swaps = dice.roll(3); swaps > 0; --swaps)
            std::swap(rules[dice.roll(rules.size())], rules[dice.roll(rules.size())]);
    return after;
}

// What the rule that decides does besides letting in.
std::pair<std::optional<Limit>, bool> effect(const Policy& policy, const Opening& opening) {
    const Verdict verdict = evaluate(policy, opening);
    if (verdict.answer != Answer::allowed) return {};
    return {policy.rules[*verdict.rule].limit, policy.rules[*verdict.rule].log_new};
}

const std::vector<std::vector<std::string>> kGuarded{{"*"}, {"*"}, {"eth*"}, {"eth0", "en?0"}};

} // namespace

TEST_CASE("a difference holds an opening exactly when the two verdicts differ") {
    const std::uint64_t seed = test::test_seed();
    CAPTURE(seed);
    test::Dice dice(seed);
    std::size_t gained = 0, lost = 0, same = 0;
    for (int i = 0; i < 80; ++i) {
        const test::PolicyShape shape{.rules = 6};
        Policy before = test::random_policy(dice, shape);
        before.host.interfaces = dice.pick(kGuarded);
        Policy after = altered(dice, before, shape);
        if (after.host.interfaces.empty() || dice.once_in(4))
            after.host.interfaces = dice.pick(kGuarded);
        const Space space(before, after);
        const Difference difference = compare(space);
        REQUIRE(difference.egress_is_compared);
        for (int k = 0; k < 150; ++k) {
            const Opening opening =
                test::random_opening(dice, dice.once_in(2) ? before : after, shape);
            if (opening.interface.empty()) continue; // of no name
            const bool was = is_open(before, opening);
            const bool is = is_open(after, opening);
            INFO(test::describe(before) << "---\n"
                                        << test::describe(after) << test::describe(opening));
            REQUIRE(is_in(space, difference.allowed, opening) == (is && !was));
            REQUIRE(is_in(space, difference.forbidden, opening) == (was && !is));
            ++(is == was ? same : is ? gained : lost);
        }
    }
    CHECK(gained > 100);
    CHECK(lost > 100);
    CHECK(same > 100);
}

TEST_CASE(
    "without limits no random policy differs from itself, in whatever order its rules stand") {
    const std::uint64_t seed = test::test_seed();
    CAPTURE(seed);
    test::Dice dice(seed);
    for (int i = 0; i < 40; ++i) {
        const Policy before = test::random_policy(dice);
        Policy after = before;
        std::ranges::reverse(after.rules);
        for (Rule& rule : after.rules) rule.name += " by another name";
        const Space space(before, after);
        const Difference difference = compare(space);
        INFO(test::describe(before));
        CHECK_FALSE(difference.is_any());
        CHECK(difference.rules.size() == before.rules.size());
    }
}

TEST_CASE("another limit or log that counts is a difference, however the rules are written") {
    const std::uint64_t seed = test::test_seed();
    CAPTURE(seed);
    test::Dice dice(seed);
    const test::PolicyShape shape{.rules = 5, .limits = true};
    std::size_t turned = 0, untold = 0;
    for (int i = 0; i < 200; ++i) {
        const Policy before = with_rivals(dice, test::random_policy(dice, shape));
        const Policy after = rewritten(dice, before);
        const Space space(before, after);
        const Difference difference = compare(space);
        CHECK((difference.allowed.empty() && difference.forbidden.empty()));
        if (!difference.is_any()) ++untold;
        for (int k = 0; k < 100; ++k) {
            const Opening opening =
                test::random_opening(dice, dice.once_in(2) ? before : after, shape);
            if (opening.interface.empty() && opening.direction != Direction::egress) continue;
            if (effect(before, opening) == effect(after, opening)) continue;
            INFO(test::describe(before) << "---\n"
                                        << test::describe(after) << test::describe(opening));
            REQUIRE(difference.is_any());
            ++turned;
        }
    }
    CHECK(turned > 100);
    CHECK(untold > 50);
}

// SPDX-License-Identifier: Apache-2.0
// The compiler against the oracle. SP_SEED=N repeats a run; a failure is shrunk
// to the smallest policy that still fails before it is printed.
#include "compile/compile.h"
#include "compile/lookup.h"
#include "support/random_policy.h"

#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::test;

namespace {

constexpr int kPolicies = 300;
constexpr int kOpenings = 60;

CompileInput input() {
    return {.generation = 1, .interfaces = universe_interfaces(), .counters = {}};
}

bool disagree(const Policy& policy, const Opening& opening) {
    const Result<MapImage> image = compile(policy, input());
    return !image || Lookup(*image).verdict(opening) != evaluate(policy, opening);
}

void report(const Policy& policy, const Opening& opening) {
    const Policy small = shrink(policy, [&](const Policy& p) { return disagree(p, opening); });
    const Result<MapImage> image = compile(small, input());
    FAIL(describe(small) << describe(opening) << "\noracle: " << describe(evaluate(small, opening))
                         << "\ntables: "
                         << (image ? describe(Lookup(*image).verdict(opening))
                                   : image.error().text()));
}

// A path into every state of the automaton: by the names it knows and by strangers'.
std::vector<std::string> paths_to_all_states(const MapImage& image) {
    std::vector<std::string> paths(image.cgroup_states.size());
    std::vector<std::uint32_t> reached{0};
    paths[0] = "/";
    const auto reach = [&](std::uint32_t from, const std::string& name, std::uint32_t to) {
        if (!paths[to].empty()) return;
        paths[to] = (from == 0 ? "" : paths[from]) + "/" + name;
        reached.push_back(to);
    };
    for (std::size_t i = 0; i < reached.size(); ++i) {
        const std::uint32_t from = reached[i];
        for (const auto& [step, to] : image.cgroup_steps)
            if (step.state == from) reach(from, step.name, to);
        reach(from, "stranger", image.cgroup_states[from].other);
        reach(from, "stranger.slice", image.cgroup_states[from].other_slice);
    }
    CHECK(reached.size() == paths.size());
    return paths;
}

// The best that the oracle grants to any cgroup and user, an unknown one included.
Answer best_answer(const Policy& policy, const MapImage& image, Opening opening) {
    std::vector<std::string> paths = paths_to_all_states(image);
    paths.emplace_back();
    Answer best = Answer::no_rule;
    for (const std::string& path : paths)
        for (const std::uint32_t user : universe_users()) {
            opening.cgroup = path;
            opening.user = user;
            best = std::max(best, evaluate(policy, opening).answer);
        }
    return best;
}

} // namespace

TEST_CASE("the tables answer every opening as the oracle does") {
    const std::uint64_t seed = test_seed();
    WARN("SP_SEED=" << seed);
    Dice dice(seed);
    std::array<int, 3> answers{};
    for (int n = 0; n < kPolicies; ++n) {
        PolicyShape shape;
        shape.rules = 1 + dice.roll(24);
        const Policy policy = random_policy(dice, shape);
        const Result<MapImage> image = compile(policy, input());
        REQUIRE(image);
        const Lookup tables(*image);
        for (int m = 0; m < kOpenings; ++m) {
            const Opening opening = random_opening(dice, policy, shape);
            const Verdict oracle = evaluate(policy, opening);
            ++answers.at(static_cast<std::size_t>(oracle.answer));
            if (tables.verdict(opening) != oracle) report(policy, opening);
        }
    }
    // Each answer was really asked for.
    for (const int count : answers) CHECK(count > kPolicies * kOpenings / 100);
}

TEST_CASE("the marks say who is inside, who may ping and who is a router, as the oracle does") {
    const std::uint64_t seed = test_seed();
    WARN("SP_SEED=" << seed);
    Dice dice(seed);
    for (int n = 0; n < kPolicies / 2; ++n) {
        const Policy policy = random_policy(dice);
        const Result<MapImage> image = compile(policy, input());
        REQUIRE(image);
        const Lookup tables(*image);
        for (int m = 0; m < kOpenings; ++m) {
            const Opening opening = random_opening(dice, policy);
            const Address& address =
                opening.direction == Direction::egress ? opening.destination : opening.source;
            const bool inside = matches(policy.exfil_inside, address, opening.interface);
            const bool ping = matches(policy.essentials.ping, address, opening.interface);
            const bool router = matches(policy.essentials.routers, address, opening.interface);
            INFO(describe(policy) << to_string(address) << " on " << opening.interface);
            REQUIRE(tables.marks(address, opening.interface) == (inside ? SP_MARK_INSIDE : 0) +
                                                                    (ping ? SP_MARK_PING : 0) +
                                                                    (router ? SP_MARK_ROUTER : 0));
        }
    }
}

TEST_CASE("the column for anyone holds what some identity may") {
    const std::uint64_t seed = test_seed();
    WARN("SP_SEED=" << seed);
    Dice dice(seed);
    PolicyShape shape;
    shape.directions = {Direction::egress};
    shape.rules = 5;
    int differs = 0;
    for (int n = 0; n < kPolicies / 2; ++n) {
        const Policy policy = random_policy(dice, shape);
        const Result<MapImage> image = compile(policy, input());
        REQUIRE(image);
        const Lookup tables(*image);
        for (int m = 0; m < 10; ++m) {
            const Opening opening = random_opening(dice, policy, shape);
            const Answer column = tables.verdict(opening, Opener::anyone).answer;
            INFO(describe(policy) << describe(opening));
            REQUIRE(column == best_answer(policy, *image, opening));
            differs += column != evaluate(policy, opening).answer;
        }
    }
    CHECK(differs > 0);
}

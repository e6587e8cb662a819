// SPDX-License-Identifier: Apache-2.0
// What a SYN costs the memory of limits, by the number of sources that a flood comes from.
//
//   limit_cost [ROUNDS]     a line of JSON for each family, sources, and with or without cookies
//
// The limiter takes a million SYNs of a flood, each from a random one of so many sources, with
// a simulated clock at 200,000 a second. What it takes to draw the sources is taken off. The
// cases of a family go round in turn, so that what else the machine does falls on all of them,
// and each one's median is told.
#include "compile/limits.h"
#include "limiter.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fmt/format.h>
#include <map>
#include <random>
#include <vector>

using namespace sallyport;

namespace {

constexpr std::uint64_t kGap = 5'000; // ns between two SYNs
constexpr unsigned kSyns = 1'000'000;

struct Case {
    std::uint32_t sources;
    bool cookies;
    auto operator<=>(const Case&) const = default;
};

sp_addr address(unsigned family, std::uint32_t number) {
    sp_addr a{};
    if (family == 6) { // a /48 each
        a.words[0] = __builtin_bswap32(0x20000000u | number >> 16);
        a.words[1] = __builtin_bswap32(number << 16);
        return a;
    }
    a.words[2] = __builtin_bswap32(0xffffu);
    a.words[3] = __builtin_bswap32(number);
    return a;
}

// Nanoseconds a SYN, from `now` on. `ask` is false for what drawing alone takes.
double cost(unsigned family, const Case& c, const sp_limit& limit, bool ask, std::uint64_t now) {
    std::mt19937_64 random(c.sources);
    unsigned kept = 0;
    const auto begun = std::chrono::steady_clock::now();
    for (unsigned n = 0; n < kSyns; ++n, now += kGap) {
        const sp_addr source = address(family, static_cast<std::uint32_t>(random() % c.sources));
        kept += ask ? limiter_ask(&limit, &source, 0, now) == LIMITER_REFUSED : source.words[3];
    }
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begun;
    // Used, or the loop would go.
    return took.count() / kSyns + (kept == 1 ? 1e-9 : 0);
}

void measure(unsigned family, unsigned rounds) {
    std::map<Case, std::vector<double>> costs;
    for (unsigned round = 0; round < rounds; ++round)
        for (const bool cookies : {true, false})
            for (const std::uint32_t sources : {1u, 1u << 10, 1u << 16, 1u << 20, 1u << 24}) {
                const Case c{sources, cookies};
                const sp_limit limit =
                    compile_limit({.rate = {.count = 20, .per = std::chrono::minutes(1)},
                                   .burst = 20,
                                   .total = {},
                                   .cookies = cookies});
                limiter_begin(round, sources);
                const std::uint64_t begins = 60'000'000'000, later = begins + kSyns * kGap;
                cost(family, c, limit, true, begins); // the table is as the flood leaves it
                costs[c].push_back(cost(family, c, limit, true, later) -
                                   cost(family, c, limit, false, later));
            }
    for (auto& [c, all] : costs) {
        std::ranges::sort(all);
        fmt::print(R"({{"family": {}, "cookies": {}, "sources": {}, "ns": {:.1f}}})"
                   "\n",
                   family, c.cookies, c.sources, all[all.size() / 2]);
    }
}

} // namespace

int main(int argc, char** argv) {
    const auto rounds = argc > 1 ? static_cast<unsigned>(std::strtoul(argv[1], nullptr, 0)) : 5u;
    for (const unsigned family : {4u, 6u}) measure(family, std::max(rounds, 1u));
}

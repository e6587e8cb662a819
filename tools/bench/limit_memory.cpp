// SPDX-License-Identifier: Apache-2.0
// How often the memory of limits is wrong about a source while a flood goes on.
//
//   limit_memory [SEED]     a line of JSON for each case
//
// Time is simulated, so that neither the machine nor what else runs on it has a part in the
// numbers. 2000 sources open at half of what their limit allows, 200 at three times it, as a
// Poisson process each, for two minutes; in the second a flood of SYNs comes as well, each from
// a random one of so many sources. An opening is judged beside the limiter by ITU-T I.371 on
// what was let in of that source. Of the first, one that was due and refused is "wrongly
// refused", and counted as "known" where the source was remembered then, so that the memory
// and not the allowance of newcomers refused it; of the others, one that was not due and let in is
// "wrongly let in". Who is asked for a cookie returns it, but for a forged source.
#include "compile/limits.h"
#include "limiter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>
#include <random>
#include <vector>

using namespace sallyport;

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kFloodBegins = 60 * kSecond, kEnd = 120 * kSecond;
constexpr unsigned kHonest = 2000, kGreedy = 200;
constexpr unsigned kAMinute = 20;

enum class Flood : std::uint8_t { none, forged, real };

struct Case {
    unsigned family;
    Flood flood;
    std::uint32_t sources;
    std::uint64_t a_second;
    bool cookies;
};

struct Opening {
    std::uint64_t at_ns;
    unsigned source; // the first kHonest of them keep to their limit
};

// What is due to one source, by the book.
struct Due {
    std::uint64_t at_ns = 0;
    [[nodiscard]] bool may(std::uint64_t now, const sp_rate& rate) const {
        return at_ns <= now || at_ns - now <= rate.ahead_ns;
    }
    void take(std::uint64_t now, const sp_rate& rate) {
        at_ns = std::max(at_ns, now) + rate.interval_ns;
    }
};

struct Count {
    std::uint64_t due = 0, wrongly_refused = 0, known = 0; // of those that keep to their limit
    std::uint64_t not_due = 0, wrongly_let_in = 0;         // of those that do not
};

sp_addr address(unsigned family, std::uint32_t network, std::uint32_t number) {
    sp_addr a{};
    if (family == 6) { // 2001:db8 has no room for a million /48s
        a.words[0] = __builtin_bswap32(0x20000000u | network << 16 | number >> 16);
        a.words[1] = __builtin_bswap32(number << 16);
        a.words[3] = __builtin_bswap32(1);
        return a;
    }
    a.words[2] = __builtin_bswap32(0xffffu);
    a.words[3] = __builtin_bswap32(network << 24 | number);
    return a;
}

std::vector<Opening> openings(std::mt19937_64& random) {
    std::vector<Opening> all;
    for (unsigned source = 0; source < kHonest + kGreedy; ++source) {
        const double a_minute = source < kHonest ? kAMinute / 2.0 : kAMinute * 3.0;
        const double mean = 60.0 * static_cast<double>(kSecond) / a_minute;
        // The engine's 53 upper bits: the standard's distributions differ between libraries.
        const auto gap = [&] {
            const double u = static_cast<double>((random() >> 11) + 1) * 0x1p-53;
            return static_cast<std::uint64_t>(-std::log(u) * mean);
        };
        for (std::uint64_t at = gap(); at < kEnd; at += gap()) all.push_back({at, source});
    }
    std::ranges::sort(all, {}, &Opening::at_ns);
    return all;
}

// A SYN and, where a cookie is asked for and `answers`, the ACK that bears it.
bool opens(const sp_limit& limit, const sp_addr& source, bool answers, std::uint64_t now) {
    limiter_answer answer = limiter_ask(&limit, &source, 0, now);
    if (answer == LIMITER_PROVE && answers) answer = limiter_ask(&limit, &source, 1, now);
    return answer == LIMITER_LET_IN;
}

void judge(Count& count, const Opening& o, bool due, bool known, bool let_in) {
    if (o.at_ns < kFloodBegins) return;
    if (o.source < kHonest && due) {
        ++count.due;
        count.wrongly_refused += !let_in;
        count.known += known && !let_in;
    } else if (o.source >= kHonest && !due) {
        ++count.not_due;
        count.wrongly_let_in += let_in;
    }
}

void run(const Case& c, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    limiter_begin(random(), random());
    const sp_limit limit =
        compile_limit({.rate = {.count = kAMinute, .per = std::chrono::minutes(1)},
                       .burst = kAMinute,
                       .total = {},
                       .cookies = c.cookies});
    std::vector<Due> due(kHonest + kGreedy);
    Count count;
    std::uint64_t flood_let_in = 0, at = kFloodBegins;
    const auto flood_until = [&](std::uint64_t now) {
        for (; c.flood != Flood::none && at < now; at += kSecond / c.a_second) {
            const sp_addr source =
                address(c.family, 198, static_cast<std::uint32_t>(random() % c.sources));
            flood_let_in += opens(limit, source, c.flood == Flood::real, at);
        }
    };
    for (const Opening& o : openings(random)) {
        flood_until(o.at_ns);
        const sp_addr source = address(c.family, 10, o.source);
        const bool known = limiter_knows(&limit, &source) != 0;
        const bool let_in = opens(limit, source, true, o.at_ns);
        judge(count, o, due[o.source].may(o.at_ns, limit.source), known, let_in);
        if (let_in) due[o.source].take(o.at_ns, limit.source);
    }
    constexpr std::array kFloods = {"none", "forged", "real"};
    fmt::print(
        R"({{"family": {}, "flood": "{}", "sources": {}, "a_second": {}, "cookies": {}, )"
        R"("due": {}, "wrongly_refused": {}, "known": {}, "not_due": {}, "wrongly_let_in": {}, )"
        R"("flood_let_in": {}, "waiting": {}, "room": {}}})"
        "\n",
        c.family, kFloods[static_cast<std::size_t>(c.flood)], c.sources, c.a_second, c.cookies,
        count.due, count.wrongly_refused, count.known, count.not_due, count.wrongly_let_in,
        flood_let_in, limiter_waiting(kEnd), SP_BUCKET_SETS * SP_BUCKET_WAYS);
}

} // namespace

int main(int argc, char** argv) {
    const std::uint64_t seed = argc > 1 ? std::strtoull(argv[1], nullptr, 0) : 1;
    for (unsigned family : {4u, 6u}) {
        run({family, Flood::none, 0, 0, true}, seed);
        for (bool cookies : {true, false})
            for (std::uint32_t sources : {1u << 16, 1u << 18, 1u << 20})
                run({family, Flood::forged, sources, 200'000, cookies}, seed);
        for (std::uint32_t sources : {1u << 16, 1u << 20})
            run({family, Flood::real, sources, 200'000, true}, seed);
    }
}

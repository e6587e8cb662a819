// SPDX-License-Identifier: Apache-2.0
// The flow table by itself: how full it gets before it refuses, what a refusal
// looks like, what gives way to what, and that time passes in it.
#include "kernel/flows.h"
#include "support/bench.h"
#include "support/flow_table.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <chrono>
#include <cstring>
#include <ctime>
#include <set>

using namespace sallyport::test;

namespace {

constexpr std::uint32_t kSets = 512;
constexpr std::uint32_t kEntries = kSets * SP_FLOW_WAYS;
const std::string kWeb = allow_out("web", "any", "tcp", "443");

std::uint32_t boot_seconds() {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return static_cast<std::uint32_t>(now.tv_sec);
}

// Sizes without the bound of three quarters, to see what the sets themselves refuse.
BenchOptions unbounded() {
    return BenchOptions{.flow_sets = kSets, .flow_max = kEntries};
}

std::string key_text(const sp_flow_key& key) {
    std::string bytes(sizeof(key), '\0');
    std::memcpy(bytes.data(), &key, sizeof(key));
    return bytes;
}

std::set<std::string> distinct_keys(const Instance& instance) {
    std::set<std::string> keys;
    for (const sp_flow& flow : read_flows(instance)) keys.insert(key_text(flow.key));
    return keys;
}

Seen open_flow(Bench& bench, Family family, std::uint16_t sport) {
    return bench.tc(from_host(family) / tcp{.sport = sport, .dport = 443});
}

Seen reply_to(Bench& bench, Family family, std::uint16_t sport) {
    return bench.xdp(to_host(family) / tcp{.sport = 443, .dport = sport, .flags = ACK});
}

} // namespace

TEST_CASE(
    "a table filled to 10, 50 and 75 % refuses nothing, to 100 % next to nothing is left over") {
    unsigned percent = GENERATE(10u, 50u, 75u, 100u);
    Bench bench{kWeb, unbounded()};
    std::uint32_t asked = kEntries * percent / 100;
    std::uint32_t refused = 0;
    for (std::uint32_t i = 0; i < asked; ++i)
        refused += seed_flow(bench.instance(), numbered_flow(i)) ? 0 : 1;
    WARN(percent << " % of " << kEntries << ": " << refused << " of " << asked << " refused");
    if (percent <= 75) CHECK(refused == 0);
    // Two choices of eight ways: at most 5 % of a full table is refused.
    CHECK(refused * 20 <= asked);
    CHECK(bench.flow_entries() == asked - refused);
    CHECK(read_flows(bench.instance()).size() == asked - refused);
    CHECK(distinct_keys(bench.instance()).size() == asked - refused);
}

TEST_CASE("what was entered is found: every accepted flow's reply passes at every fill") {
    unsigned percent = GENERATE(10u, 75u, 100u);
    Bench bench{kWeb, unbounded()};
    std::vector<std::uint32_t> accepted;
    for (std::uint32_t i = 0; i < kEntries * percent / 100; ++i) {
        if (seed_flow(bench.instance(), numbered_flow(i))) accepted.push_back(i);
    }
    for (std::size_t k = 0; k < accepted.size(); k += 37) {
        std::uint32_t i = accepted[k];
        std::string remote = "10." + std::to_string(i >> 16) + "." + std::to_string(i >> 8 & 255) +
                             "." + std::to_string(i & 255);
        std::uint16_t port = static_cast<std::uint16_t>(20000 + i % 30000);
        INFO(remote << ' ' << port);
        CHECK(bench.xdp(eth{} / ipv4{.src = remote} /
                        tcp{.sport = 443, .dport = port, .flags = ACK}) == passes());
        CHECK(bench.xdp(eth{} / ipv4{.src = remote} /
                        tcp{.sport = 444, .dport = port, .flags = ACK}) ==
              dropped(SP_REASON_NO_FLOW));
    }
}

TEST_CASE("a full table refuses a new flow by name, and running flows go on") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kWeb, BenchOptions{.flow_sets = 64, .flow_max = 16}};
    for (std::uint16_t i = 0; i < 16; ++i) {
        CHECK(open_flow(bench, family, static_cast<std::uint16_t>(50000 + i)) == passes());
        CHECK(reply_to(bench, family, static_cast<std::uint16_t>(50000 + i)) ==
              passes()); // confirmed
    }
    CHECK(bench.flow_entries() == 16);
    CHECK(open_flow(bench, family, 51000) == dropped(SP_REASON_FLOW_FULL));
    CHECK(reply_to(bench, family, 51000) == dropped(SP_REASON_NO_FLOW));
    for (std::uint16_t i = 0; i < 16; ++i) {
        CHECK(reply_to(bench, family, static_cast<std::uint16_t>(50000 + i)) == passes());
    }
    CHECK(open_flow(bench, family, 50003) == passes()); // known already
    CHECK(bench.flow_entries() == 16);
}

TEST_CASE("a table of no size refuses every flow") {
    Bench bench{kWeb, BenchOptions{.flow_sets = 0, .flow_max = 0}};
    CHECK(open_flow(bench, Family::v4, 50000) == dropped(SP_REASON_FLOW_FULL));
    CHECK(open_flow(bench, Family::v6, 50000) == dropped(SP_REASON_FLOW_FULL));
}

TEST_CASE("entries whose time is up give way; those that live do not") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kWeb, BenchOptions{.flow_sets = 1, .flow_max = SP_FLOW_WAYS}};
    const std::uint32_t begun = boot_seconds();
    for (std::uint16_t i = 0; i < SP_FLOW_WAYS; ++i) {
        std::uint16_t port = static_cast<std::uint16_t>(50000 + i);
        CHECK(open_flow(bench, family, port) == passes());
        CHECK(reply_to(bench, family, port) == passes());
    }
    CHECK(open_flow(bench, family, 51000) == dropped(SP_REASON_FLOW_FULL));
    // To the second, the last one in which they live, however slow the machine is.
    age_flows(bench.instance(), 7200 - (boot_seconds() - begun));
    CHECK(open_flow(bench, family, 51000) == dropped(SP_REASON_FLOW_FULL));
    age_flows(bench.instance(), boot_seconds() - begun + 10);
    CHECK(open_flow(bench, family, 51000) == passes());
    CHECK(bench.flow_entries() == SP_FLOW_WAYS);
}

TEST_CASE(
    "a confirmed flow takes the place of one that nobody answered, never the other way round") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kWeb, BenchOptions{.flow_sets = 1, .flow_max = SP_FLOW_WAYS}};
    for (std::uint32_t i = 0; i < SP_FLOW_WAYS; ++i) {
        CHECK(open_flow(bench, family, static_cast<std::uint16_t>(50000 + i)) == passes());
    }
    CHECK(open_flow(bench, family, 51000) ==
          dropped(SP_REASON_FLOW_FULL));                  // unconfirmed by unconfirmed
    CHECK(seed_flow(bench.instance(), numbered_flow(1))); // unconfirmed by confirmed
    for (std::uint32_t i = 2; i <= SP_FLOW_WAYS; ++i)
        CHECK(seed_flow(bench.instance(), numbered_flow(i)));
    CHECK_FALSE(seed_flow(bench.instance(), numbered_flow(99))); // confirmed by confirmed
    CHECK(open_flow(bench, family, 51000) == dropped(SP_REASON_FLOW_FULL));
    CHECK(distinct_keys(bench.instance()).size() == SP_FLOW_WAYS);
}

TEST_CASE("the host's own flow takes the place of one that was asked for from outside") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kWeb, BenchOptions{.flow_sets = 1, .flow_max = SP_FLOW_WAYS}};
    for (std::uint32_t i = 0; i < SP_FLOW_WAYS; ++i) {
        sp_flow asked = numbered_flow(i);
        asked.direction = SP_INGRESS;
        asked.generation = 1;
        REQUIRE(seed_flow(bench.instance(), asked));
    }
    CHECK(open_flow(bench, family, 50000) == passes());
    CHECK(reply_to(bench, family, 50000) == passes());
    CHECK(bench.flow_entries() == SP_FLOW_WAYS);
    CHECK(distinct_keys(bench.instance()).size() == SP_FLOW_WAYS);
    // Not of another of its own, nor of a connection that was spared at the start:
    // no rule would readmit it.
    for (std::uint16_t i = 1; i < SP_FLOW_WAYS; ++i)
        CHECK(open_flow(bench, family, static_cast<std::uint16_t>(50000 + i)) == passes());
    CHECK(open_flow(bench, family, 51000) == dropped(SP_REASON_FLOW_FULL));
    edit_flows(bench.instance(), [](sp_flow& flow) {
        flow.direction = SP_INGRESS;
        flow.generation = SP_GENERATION_KEPT;
    });
    CHECK(open_flow(bench, family, 51000) == dropped(SP_REASON_FLOW_FULL));
}

TEST_CASE("a million flows: each is entered, found and swept, and the next is refused by name") {
    constexpr std::uint32_t kMillion = 1'000'000;
    Bench bench{
        kWeb, BenchOptions{.flow_sets = sallyport::flow_sets_for(kMillion), .flow_max = kMillion}};
    std::vector<bool> entered;
    // Both sets of a flow may be full while the table is not: ten in a million.
    for (std::uint32_t done = 0; done < kMillion && entered.size() < kMillion + 100;) {
        entered.push_back(
            seed_flow(bench.instance(), numbered_flow(static_cast<std::uint32_t>(entered.size()))));
        done += entered.back() ? 1 : 0;
    }
    REQUIRE(bench.flow_entries() == kMillion);
    std::vector<bool> found(entered.size());
    std::uint32_t twice = 0;
    for (const sp_flow& flow : read_flows(bench.instance())) {
        const std::uint8_t* ip = flow.key.remote.bytes + 12;
        const std::uint32_t number = static_cast<std::uint32_t>(ip[1] << 16 | ip[2] << 8 | ip[3]);
        twice += found.at(number) ? 1 : 0;
        found.at(number) = true;
    }
    CHECK(twice == 0);
    CHECK(found == entered);
    for (std::uint32_t i = 0; i < kMillion; i += 997) {
        if (!entered[i]) continue;
        const std::string remote = "10." + std::to_string(i >> 16) + "." +
                                   std::to_string(i >> 8 & 255) + "." + std::to_string(i & 255);
        CHECK(bench.xdp(eth{} / ipv4{.src = remote} /
                        tcp{.sport = 443,
                            .dport = static_cast<std::uint16_t>(20000 + i % 30000),
                            .flags = ACK}) == passes());
    }
    for (Family family : {Family::v4, Family::v6})
        CHECK(open_flow(bench, family, 51000) == dropped(SP_REASON_FLOW_FULL));

    age_flows(bench.instance(), 7201);
    const std::uint32_t sets = bench.instance().settings().flow_sets;
    const auto begun = std::chrono::steady_clock::now();
    for (std::uint32_t first = 0; first < sets; first += SP_SWEEP_SETS)
        REQUIRE(sallyport::sweep_flows(bench.instance().programs(), first).has_value());
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begun;
    WARN("a table for " << kMillion << " flows takes " << sets * sizeof(FlowSet) / 1'000'000
                        << " MB, and all of it is swept in " << took.count() << " ms");
    CHECK(bench.flow_entries() == 0);
    CHECK(open_flow(bench, Family::v4, 51000) == passes());
}

TEST_CASE("a flow that is asked for again is renewed in its place, not entered twice") {
    Bench bench{kWeb};
    for (int i = 0; i < 10; ++i) CHECK(open_flow(bench, Family::v4, 50000) == passes());
    CHECK(bench.flow_entries() == 1);
    CHECK(read_flows(bench.instance()).size() == 1);
}

TEST_CASE("an unanswered flow lives a minute, an answered one as long as the policy says") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kWeb + "[flows]\ntcp-idle = \"1h\"\n"};
    CHECK(open_flow(bench, family, 50000) == passes());
    age_flows(bench.instance(), 58);
    CHECK(reply_to(bench, family, 50000) == passes()); // and is answered by this
    age_flows(bench.instance(), 3598);
    CHECK(reply_to(bench, family, 50000) == passes());
    age_flows(bench.instance(), 3602);
    CHECK(reply_to(bench, family, 50000) == dropped(SP_REASON_NO_FLOW));
    CHECK(open_flow(bench, family, 50001) == passes());
    age_flows(bench.instance(), 62);
    CHECK(reply_to(bench, family, 50001) == dropped(SP_REASON_NO_FLOW));
}

TEST_CASE("FIN and RST shorten a flow's life and do not end it at once") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kWeb};
    for (auto [flags, life] : {std::pair{std::uint8_t(FIN | ACK), 120u}, std::pair{RST, 10u}}) {
        INFO("flags " << int(flags));
        CHECK(open_flow(bench, family, 50000) == passes());
        CHECK(reply_to(bench, family, 50000) == passes());
        Packet end = to_host(family) / tcp{.sport = 443, .dport = 50000, .flags = flags};
        CHECK(bench.xdp(end) == passes());
        CHECK(reply_to(bench, family, 50000) == passes());
        age_flows(bench.instance(), life + 2);
        CHECK(reply_to(bench, family, 50000) == dropped(SP_REASON_NO_FLOW));
    }
}

TEST_CASE("a flow seen by another CPU whose clock is a tick ahead is alive") {
    Bench bench{kWeb, BenchOptions{.flow_sets = 1, .flow_max = SP_FLOW_WAYS}};
    for (std::uint32_t i = 0; i < SP_FLOW_WAYS; ++i)
        CHECK(seed_flow(bench.instance(), numbered_flow(i)));
    age_flows(bench.instance(), static_cast<std::uint32_t>(-2)); // two seconds ahead of this CPU
    CHECK(bench.xdp(eth{} / ipv4{.src = "10.0.0.3"} /
                    tcp{.sport = 443, .dport = 20003, .flags = ACK}) == passes());
    // Nor is it room for another.
    CHECK_FALSE(seed_flow(bench.instance(), numbered_flow(99)));
}

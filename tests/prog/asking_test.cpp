// SPDX-License-Identifier: Apache-2.0
// Asking is not doing: an instance with other settings judges by a slot that no
// word points at, and leaves no count, no flow, no event.
#include "support/bench.h"
#include "support/flow_table.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace sallyport::test;

namespace {
const std::string kPolicy =
    allow_in("ssh", "any", "tcp", "22") + allow_out("web", "any", "tcp", "443");
}

TEST_CASE("the asked slot answers though none is in force, without a trace") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kPolicy, BenchOptions{.role = Role::asking}};
    auto answer = [&](const Seen& seen) {
        CHECK(seen.disagreements.empty());
        return seen.passed;
    };
    CHECK(answer(bench.xdp(to_host(family) / tcp{.dport = 22})));
    CHECK_FALSE(answer(bench.xdp(to_host(family) / tcp{.dport = 23})));
    CHECK(answer(bench.cgroup(from_host(family) / tcp{.dport = 443})));
    CHECK_FALSE(answer(bench.cgroup(from_host(family) / tcp{.dport = 444})));
    CHECK(answer(bench.tc(from_host(family) / tcp{.dport = 443})));
    CHECK_FALSE(answer(bench.tc(from_host(family) / tcp{.dport = 444})));
    CHECK(bench.flow_entries() == 0);
    CHECK(read_flows(bench.instance()).empty());
}

TEST_CASE("an asking instance sees the flows there are, unless it is told to forget them") {
    Packet ack = eth{} / ipv4{.src = "10.0.0.1"} / tcp{.sport = 443, .dport = 20001, .flags = ACK};
    for (std::uint32_t forget : {0u, 1u}) {
        INFO("forget_flows " << forget);
        Bench bench{kPolicy, BenchOptions{.role = Role::asking, .forget_flows = forget}};
        REQUIRE(seed_flow(bench.instance(), numbered_flow(1)));
        sp_flow before = read_flows(bench.instance()).at(0);
        CHECK(bench.xdp(ack).passed == (forget == 0));
        sp_flow after = read_flows(bench.instance()).at(0);
        CHECK(before.seen_s == after.seen_s);
        CHECK(before.idle_s == after.idle_s);
        CHECK(before.state == after.state);
    }
}

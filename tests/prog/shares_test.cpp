// SPDX-License-Identifier: Apache-2.0
// Shares of the flow table: of what is routed, who has more gives way to who has less.
#include "support/bench.h"
#include "support/flow_table.h"
#include "support/machine.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <map>
#include <string>
#include <vector>

using namespace sallyport::test;

namespace {

const std::string kPolicy = allow_through("dns", "10.9.0.0/24 fd00:9::/64",
                                          "198.51.100.0/24 2001:db8:1::/64", "udp", "53") +
                            allow_out("own dns", "198.51.100.0/24 2001:db8:1::/64", "udp", "53");

Packet ask(Family family, int box, int number) {
    const std::string address =
        (family == Family::v4 ? "10.9.0." : "fd00:9::") + std::to_string(box);
    return eth{} / ip(family, address, peer_of(family)) /
           udp{.sport = static_cast<std::uint16_t>(5000 + number), .dport = 53};
}

std::vector<sp_forward_hook> forward_hooks() {
    std::vector<sp_forward_hook> hooks{SP_FORWARD_TC_INGRESS};
    if (has_netfilter_programs()) hooks.push_back(SP_FORWARD_NETFILTER);
    return hooks;
}

// How many entries each sender has, in order.
std::vector<long> shares(const Bench& bench) {
    std::map<std::uint32_t, long> by_source;
    for (const sp_flow& flow : read_flows(bench.instance())) by_source[flow.source]++;
    std::vector<long> counts;
    for (const auto& [source, count] : by_source) counts.push_back(count);
    std::sort(counts.begin(), counts.end());
    return counts;
}

// All that may be in one set.
BenchOptions one_set(sp_forward_hook hook) {
    return {.flow_sets = 1, .flow_max = SP_FLOW_WAYS, .forward_hook = hook};
}

} // namespace

TEST_CASE("a box that fills the table gives way to another until each has half") {
    Family family = GENERATE(Family::v4, Family::v6);
    sp_forward_hook hook = GENERATE(from_range(forward_hooks()));
    INFO(to_string(family) << ", hook " << hook);
    Bench bench{kPolicy, one_set(hook)};
    for (int i = 0; i < SP_FLOW_WAYS; ++i) CHECK(bench.forward(ask(family, 2, i)) == passes());
    CHECK(bench.forward(ask(family, 2, 8)) == dropped(SP_REASON_FLOW_FULL));
    for (int i = 0; i < SP_FLOW_WAYS / 2; ++i) CHECK(bench.forward(ask(family, 3, i)) == passes());
    CHECK(shares(bench) == std::vector<long>{4, 4});
    for (int box : {2, 3})
        CHECK(bench.forward(ask(family, box, 9)) == dropped(SP_REASON_FLOW_FULL));
    // A third takes of either, and again no more than its share.
    for (int i = 0; i < 2; ++i) CHECK(bench.forward(ask(family, 4, i)) == passes());
    CHECK(bench.forward(ask(family, 4, 2)) == dropped(SP_REASON_FLOW_FULL));
    CHECK(shares(bench) == std::vector<long>{2, 3, 3});
    CHECK(bench.flow_entries() == SP_FLOW_WAYS);
}

TEST_CASE("a box that floods takes nobody else's place, and its own unanswered flows go first") {
    Family family = GENERATE(Family::v4, Family::v6);
    sp_forward_hook hook = GENERATE(from_range(forward_hooks()));
    INFO(to_string(family) << ", hook " << hook);
    Bench bench{kPolicy, one_set(hook)};
    CHECK(bench.forward(ask(family, 3, 0)) == passes());
    for (int i = 0; i < SP_FLOW_WAYS - 1; ++i) CHECK(bench.forward(ask(family, 2, i)) == passes());
    for (int i = 10; i < 30; ++i)
        CHECK(bench.forward(ask(family, 2, i)) == dropped(SP_REASON_FLOW_FULL));
    CHECK(shares(bench) == std::vector<long>{1, 7});
    // All answered but one: that one is the next to go.
    edit_flows(bench.instance(), [](sp_flow& flow) {
        if (flow.key.remote_port != 5003) flow.state |= SP_FLOW_CONFIRMED;
    });
    CHECK(bench.forward(ask(family, 4, 0)) == passes());
    std::vector<sp_flow> flows = read_flows(bench.instance());
    CHECK(std::none_of(flows.begin(), flows.end(),
                       [](const sp_flow& flow) { return flow.key.remote_port == 5003; }));
}

TEST_CASE("who forges addresses has no more than the share of his interface") {
    // Tables made by hand: what netfilter's hook is run with has no interface.
    Bench bench{kPolicy, one_set(SP_FORWARD_TC_INGRESS)};
    for (int i = 0; i < SP_FLOW_WAYS; ++i)
        CHECK(bench.forward(ask(Family::v4, 2 + i, i)) == passes());
    // Of so many addresses none has more than another.
    CHECK(bench.forward(ask(Family::v4, 100, 0)) == dropped(SP_REASON_FLOW_FULL));
    edit_flows(bench.instance(), [](sp_flow& flow) { flow.source ^= 0x00ff0000u; });
    for (int i = 0; i < SP_FLOW_WAYS / 2; ++i)
        CHECK(bench.forward(ask(Family::v4, 100, i)) == passes());
    CHECK(bench.forward(ask(Family::v4, 100, 9)) == dropped(SP_REASON_FLOW_FULL));
}

TEST_CASE("the host's own flow takes the place of who has most, never of one that was spared") {
    sp_forward_hook hook = GENERATE(from_range(forward_hooks()));
    INFO("hook " << hook);
    Bench bench{kPolicy, one_set(hook)};
    CHECK(bench.forward(ask(Family::v4, 3, 0)) == passes());
    for (int i = 0; i < SP_FLOW_WAYS - 1; ++i)
        CHECK(bench.forward(ask(Family::v4, 2, i)) == passes());
    Packet own = eth{} / ip(Family::v4, host_of(Family::v4), peer_of(Family::v4)) /
                 udp{.sport = 7000, .dport = 53};
    CHECK(bench.tc(own) == passes());
    CHECK(shares(bench) == std::vector<long>{1, 1, 6});
}

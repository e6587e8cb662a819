// SPDX-License-Identifier: Apache-2.0
// A packet cut short is never admitted, at whatever length the cut is, however
// open the policy: the programs refuse it as truncated or malformed.
#include "support/bench.h"
#include "support/icmp_message.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <string>
#include <vector>

using namespace sallyport::test;

namespace {

constexpr std::size_t kShortestRun = 14; // BPF_PROG_TEST_RUN takes no less

struct Named {
    std::string name;
    Packet packet;
};

std::vector<Named> admitted_packets() {
    Packet v4 = to_host(Family::v4);
    Packet v6 = to_host(Family::v6);
    return {
        {"tcp", v4 / tcp{}},
        {"tcp with options", v4 / tcp{.options = {2, 4, 5, 180, 1, 1}}},
        {"udp", v4 / udp{} / text("query")},
        {"udp-lite", v4 / udplite{} / text("query")},
        {"sctp", v4 / sctp{}},
        {"echo request", v4 / echo_request(Family::v4)},
        {"one tag", eth{} / vlan{} / ipv4{} / tcp{}},
        {"two tags", eth{} / qinq() / vlan{} / ipv6{} / tcp{}},
        {"tcp over ipv6", v6 / tcp{}},
        {"udp over ipv6", v6 / udp{} / text("query")},
        {"sctp over ipv6", v6 / sctp{}},
        {"echo request over ipv6", v6 / echo_request(Family::v6)},
        {"neighbour solicitation", eth{} / ipv6{.hop_limit = 255} / neighbour_solicitation()},
        {"extension headers", v6 / hop_by_hop{} / dest_options{} / routing{} / ah{} / tcp{}},
    };
}

const std::string kOpen = allow_in("all", "any", "any");

} // namespace

TEST_CASE("no packet cut at any length passes, and the whole one does") {
    Bench bench{kOpen};
    for (const Named& row : admitted_packets()) {
        INFO(row.name);
        Bytes whole = row.packet.bytes();
        CHECK(bench.xdp(whole) == passes());
        for (std::size_t length = kShortestRun; length < whole.size(); ++length) {
            INFO("cut at " << length);
            Seen seen = bench.xdp(
                Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)));
            CHECK_FALSE(seen.passed);
            CHECK((seen.reason == SP_REASON_TRUNCATED || seen.reason == SP_REASON_MALFORMED));
            CHECK(seen.disagreements.empty());
        }
    }
}

TEST_CASE("a cut packet does not leave either, by the cgroup or by the NIC") {
    Bench bench{allow_out("all", "any", "any")};
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bytes whole = (from_host(family) / udp{} / text("query")).bytes();
    CHECK(bench.cgroup(whole) == passes());
    CHECK(bench.tc(whole) == passes());
    // BPF_PROG_TEST_RUN makes no skb of less than an IP header; the host reader's test does.
    for (std::size_t length = family == Family::v4 ? 34 : 54; length < whole.size(); ++length) {
        INFO("cut at " << length);
        Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
        CHECK_FALSE(bench.cgroup(cut).passed);
        CHECK_FALSE(bench.tc(cut).passed);
    }
}

TEST_CASE("lengths that lie within the frame are no better than a cut") {
    Bench bench{kOpen};
    Packet tail = udp{} / Packet(text("query"));
    // As long as the headers, shorter than the UDP header says; then shorter than the headers.
    CHECK(bench.xdp(eth{} / ipv4{.total_length = 28} / tail) == dropped(SP_REASON_MALFORMED));
    CHECK(bench.xdp(eth{} / ipv4{.total_length = 27} / tail) == dropped(SP_REASON_TRUNCATED));
    CHECK(bench.xdp(eth{} / ipv4{.total_length = 19} / tail) == dropped(SP_REASON_MALFORMED));
    CHECK(bench.xdp(eth{} / ipv4{.total_length = 0} / tail) == dropped(SP_REASON_MALFORMED));
    CHECK(bench.xdp(eth{} / ipv4{.total_length = 34} / tail) ==
          dropped(SP_REASON_TRUNCATED)); // 33 there are
    CHECK(bench.xdp(eth{} / ipv4{.total_length = 33} / tail) == passes());
    CHECK(bench.xdp(eth{} / ipv6{.payload_length = 8} / tail) == dropped(SP_REASON_MALFORMED));
    CHECK(bench.xdp(eth{} / ipv6{.payload_length = 7} / tail) == dropped(SP_REASON_TRUNCATED));
    CHECK(bench.xdp(eth{} / ipv6{.payload_length = 0} / tail) == dropped(SP_REASON_TRUNCATED));
    CHECK(bench.xdp(eth{} / ipv6{.payload_length = 14} / tail) == dropped(SP_REASON_TRUNCATED));
    CHECK(bench.xdp(eth{} / ipv6{.payload_length = 13} / tail) == passes());
}

TEST_CASE("Ethernet padding behind a short packet changes nothing") {
    Bench bench{allow_in("dns", "any", "udp", "53")};
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bytes padded = (to_host(family) / udp{} / text("x")).bytes();
    padded.resize(padded.size() + 20);
    CHECK(bench.xdp(padded) == passes());
    Bytes other = (to_host(family) / udp{.dport = 54} / text("x")).bytes();
    other.resize(other.size() + 20);
    CHECK(bench.xdp(other) == dropped(SP_REASON_NO_RULE));
}

// SPDX-License-Identifier: Apache-2.0
// The IPv4 header: its length, options, fragments.
#include "support/bench.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace sallyport::test;

namespace {

const std::string kSsh = allow_in("ssh", "any", "tcp", "22");
const Bytes kRecordRoute{7, 7, 4, 0, 0, 0, 0, 0};
const Bytes kLooseRoute{131, 7, 4, 192, 0, 2, 9, 0};
const Bytes kStrictRoute{1, 137, 7, 4, 192, 0, 2, 9};
const Bytes kTimestamp{68, 8, 5, 0, 0, 0, 0, 0};
const Bytes kRouterAlert{148, 4, 0, 0};

} // namespace

TEST_CASE("an IPv4 header of fewer than five words or another version is malformed") {
    Bench bench{allow_in("all", "any", "any")};
    for (std::uint8_t ihl = 0; ihl < 5; ++ihl) {
        CHECK(bench.xdp(eth{} / ipv4{.ihl = ihl} / tcp{}) == dropped(SP_REASON_MALFORMED));
    }
    for (std::uint8_t version : U8s{0, 3, 5, 6, 15}) {
        CHECK(bench.xdp(eth{} / ipv4{.version = version} / tcp{}) == dropped(SP_REASON_MALFORMED));
    }
    CHECK(bench.xdp(eth{} / ipv4{.ihl = std::uint8_t{5}} / tcp{}) == passes());
}

TEST_CASE("a header length past the packet's end is refused") {
    Bench bench{allow_in("all", "any", "any")};
    // 15 words where 40 bytes of packet are: the total length is less than the header.
    CHECK(bench.xdp(eth{} / ipv4{.ihl = std::uint8_t{15}} / tcp{}) == dropped(SP_REASON_MALFORMED));
    // Ten words fill the packet: no room for a TCP header.
    CHECK_FALSE(bench.xdp(eth{} / ipv4{.ihl = std::uint8_t{10}} / tcp{}).passed);
}

TEST_CASE("IPv4 options are dropped by default and judged when the policy says so") {
    Bench strict{kSsh};
    for (const Bytes& options : {kRecordRoute, kTimestamp, Bytes(40, 1), Bytes{1, 1, 1, 0}}) {
        CHECK(strict.xdp(eth{} / ipv4{.options = options} / tcp{}) ==
              dropped(SP_REASON_IP_OPTIONS));
    }
    CHECK(strict.xdp(eth{} / ipv4{} / tcp{}) == passes());

    Bench lax{kSsh + essentials("ip-options = \"judge\"")};
    CHECK(lax.xdp(eth{} / ipv4{.options = kRecordRoute} / tcp{.dport = 22}) == passes());
    CHECK(lax.xdp(eth{} / ipv4{.options = kRecordRoute} / tcp{.dport = 23}) ==
          dropped(SP_REASON_NO_RULE));
}

TEST_CASE("option bytes that read like an allowed port do not open one") {
    Bench bench{kSsh + essentials("ip-options = \"judge\"")};
    Bytes options(40, 22);
    options[1] = 40;
    CHECK(bench.xdp(eth{} / ipv4{.options = options} / tcp{.sport = 9, .dport = 23}) ==
          dropped(SP_REASON_NO_RULE));
    CHECK(bench.xdp(eth{} / ipv4{.options = options} / tcp{.sport = 9, .dport = 22}) == passes());
}

TEST_CASE("a source route is dropped both ways, whatever the policy says of options") {
    bool judged = GENERATE(false, true);
    Bench bench{allow_in("all", "any", "any") + allow_out("all out", "any", "any") +
                (judged ? essentials("ip-options = \"judge\"") : "")};
    for (const Bytes& options : {kLooseRoute, kStrictRoute}) {
        Packet in = eth{} / ipv4{.options = options} / tcp{};
        Packet out = eth{.dst = kPeerMac, .src = kHostMac} /
                     ipv4{.src = kHost4, .dst = kPeer4, .options = options} / tcp{};
        CHECK(bench.xdp(in) == dropped(SP_REASON_SOURCE_ROUTE));
        CHECK(bench.tc(out) == dropped(SP_REASON_SOURCE_ROUTE));
        CHECK(bench.cgroup(out) == dropped(SP_REASON_SOURCE_ROUTE));
    }
    Packet recorded = eth{.dst = kPeerMac, .src = kHostMac} /
                      ipv4{.src = kHost4, .dst = kPeer4, .options = kRecordRoute} / tcp{};
    CHECK(bench.tc(recorded) == (judged ? passes() : dropped(SP_REASON_IP_OPTIONS)));
    CHECK(bench.cgroup(recorded) == (judged ? passes() : dropped(SP_REASON_IP_OPTIONS)));
}

TEST_CASE("options whose lengths lie are malformed, both ways, also where options are judged") {
    Bench bench{allow_in("all", "any", "any") + allow_out("all out", "any", "any") +
                essentials("ip-options = \"judge\"")};
    for (const Bytes& options : {Bytes{7, 0, 0, 0}, Bytes{7, 1, 0, 0}, Bytes{7, 5, 0, 0},
                                 Bytes{1, 1, 1, 7}, Bytes{7, 255, 4, 0}}) {
        CHECK(bench.xdp(eth{} / ipv4{.options = options} / tcp{}) == dropped(SP_REASON_MALFORMED));
        CHECK(bench.tc(eth{} / ipv4{.src = kHost4, .dst = kPeer4, .options = options} / tcp{}) ==
              dropped(SP_REASON_MALFORMED));
    }
    CHECK(bench.xdp(eth{} / ipv4{.options = {7, 4, 4, 0}} / tcp{}) == passes());
}

TEST_CASE("a router alert is for IGMP alone") {
    Bench bench{allow_in("all", "any", "any")};
    Packet report = eth{.dst = "01:00:5e:00:00:16"} /
                    ipv4{.dst = "224.0.0.22", .proto = 2, .ttl = 1, .options = kRouterAlert} /
                    filler(8, 0x22);
    CHECK(bench.xdp(report) == passes());
    CHECK(bench.xdp(eth{} / ipv4{.options = kRouterAlert} / tcp{}) ==
          dropped(SP_REASON_IP_OPTIONS));
    CHECK(bench.xdp(eth{} / ipv4{.options = kRouterAlert} / udp{}) ==
          dropped(SP_REASON_IP_OPTIONS));
    Bench out{allow_out("all", "any", "any")};
    Packet head = eth{.dst = kPeerMac, .src = kHostMac};
    CHECK(
        out.tc(
            head /
            ipv4{
                .src = kHost4, .dst = "224.0.0.22", .proto = 2, .ttl = 1, .options = kRouterAlert} /
            filler(8, 0x22)) == passes());
    CHECK(out.tc(head / ipv4{.src = kHost4, .dst = kPeer4, .options = kRouterAlert} / udp{}) ==
          dropped(SP_REASON_IP_OPTIONS));
}

TEST_CASE("IGMP passes with a TTL of 1 and to a group, else only by a rule") {
    Bench bench{kSsh};
    auto igmp = [](std::uint8_t ttl, const std::string& dst) {
        return eth{.dst = "01:00:5e:00:00:01"} / ipv4{.dst = dst, .proto = 2, .ttl = ttl} /
               filler(8, 0x11);
    };
    CHECK(bench.xdp(igmp(1, "224.0.0.1")) == passes());
    CHECK(bench.xdp(igmp(2, "224.0.0.1")) == dropped(SP_REASON_NO_RULE));
    CHECK_FALSE(bench.xdp(igmp(1, kHost4)).passed);
    Bench off{kSsh + essentials("neighbour-discovery = false")};
    CHECK(off.xdp(igmp(1, "224.0.0.1")) == dropped(SP_REASON_NO_RULE));
}

TEST_CASE("every kind of IPv4 fragment is dropped, DF and the reserved bit are not fragments") {
    Bench bench{allow_in("all", "any", "any")};
    Packet tail = udp{} / Packet(text("12345678"));
    CHECK(bench.xdp(eth{} / ipv4{.mf = true} / tail) == dropped(SP_REASON_FRAGMENT));
    CHECK(bench.xdp(eth{} / ipv4{.proto = std::uint8_t{17}, .offset = 1} / filler(16)) ==
          dropped(SP_REASON_FRAGMENT));
    CHECK(bench.xdp(eth{} / ipv4{.proto = std::uint8_t{17}, .offset = 0x1fff} / filler(16)) ==
          dropped(SP_REASON_FRAGMENT));
    CHECK(bench.xdp(eth{} / ipv4{.proto = std::uint8_t{6}, .df = true, .mf = true, .offset = 100} /
                    filler(16)) == dropped(SP_REASON_FRAGMENT));
    CHECK(bench.xdp(eth{} / ipv4{.df = true} / tail) == passes());
    CHECK(bench.xdp(eth{} / ipv4{.evil = true} / tail) == passes());
}

TEST_CASE("TTL and type of service are not what a packet is judged by") {
    Bench bench{kSsh};
    for (std::uint8_t ttl : U8s{0, 1, 255})
        CHECK(bench.xdp(eth{} / ipv4{.ttl = ttl} / tcp{}) == passes());
    CHECK(bench.xdp(eth{} / ipv4{.tos = 0xff} / tcp{}) == passes());
}

TEST_CASE("any protocol number is judged by its number, with nothing behind the header") {
    bool named = GENERATE(false, true);
    Bench bench{named ? allow_in("gre", "any", "47") : kSsh};
    for (std::uint8_t proto : U8s{0, 4, 41, 46, 47, 48, 50, 51, 89, 253, 255}) {
        INFO("protocol " << int(proto));
        CHECK(bench.xdp(eth{} / ipv4{.proto = proto} / Packet(filler(0))) ==
              (named && proto == 47 ? passes() : dropped(SP_REASON_NO_RULE)));
    }
}

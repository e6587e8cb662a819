// SPDX-License-Identifier: Apache-2.0
// The frame: types, tags, whom it is addressed to, and devices without one.
#include "support/bench.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace sallyport::test;

namespace {
const std::string kOpen = allow_in("all", "any", "any");
}

TEST_CASE("what is neither IP nor ARP is dropped however open the policy") {
    Bench bench{kOpen};
    // 802.3 lengths, IPX, MPLS, PPPoE, EAPOL, LLDP, an old QinQ tag, jumbo, the last one.
    for (std::uint16_t type :
         U16s{0, 46, 0x05dc, 0x0600, 0x8137, 0x8847, 0x8864, 0x888e, 0x88cc, 0x9100, 0xffff}) {
        INFO("type " << type);
        CHECK(bench.xdp(eth{.type = type} / ipv4{} / tcp{}) == dropped(SP_REASON_ETHERTYPE));
    }
    CHECK(bench.xdp(eth{.type = std::uint16_t{0x0800}} / ipv4{} / tcp{}) == passes());
}

TEST_CASE("an Ethernet type that contradicts the IP version is malformed") {
    Bench bench{kOpen};
    CHECK(bench.xdp(eth{.type = std::uint16_t{0x86dd}} / ipv4{} / tcp{} / filler(40)) ==
          dropped(SP_REASON_MALFORMED));
    CHECK(bench.xdp(eth{.type = std::uint16_t{0x0800}} / ipv6{} / tcp{}) ==
          dropped(SP_REASON_MALFORMED));
}

TEST_CASE(
    "a packet behind one or two tags is judged like one without, behind three it is dropped") {
    Bench bench{allow_in("ssh", "any", "tcp", "22")};
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    for (std::uint16_t tpid : U16s{0x8100, 0x88a8}) {
        for (std::uint16_t id : U16s{0, 5, 4095}) {
            vlan tag{.id = id, .tpid = tpid};
            INFO("tpid " << tpid << " id " << id);
            CHECK(bench.xdp(eth{} / tag / ip(family) / tcp{.dport = 22}) == passes());
            CHECK(bench.xdp(eth{} / tag / ip(family) / tcp{.dport = 23}) ==
                  dropped(SP_REASON_NO_RULE));
            CHECK(bench.xdp(eth{} / qinq() / tag / ip(family) / tcp{.dport = 22}) == passes());
            CHECK(bench.xdp(eth{} / qinq() / tag / ip(family) / tcp{.dport = 23}) ==
                  dropped(SP_REASON_NO_RULE));
            CHECK(bench.xdp(eth{} / tag / tag / tag / ip(family) / tcp{.dport = 22}) ==
                  dropped(SP_REASON_VLAN_DEPTH));
        }
    }
}

TEST_CASE("ten priority tags, which the stack would take off, do not carry a packet past") {
    Bench bench{kOpen};
    Packet packet = eth{};
    for (int i = 0; i < 10; ++i) packet = packet / vlan{.id = 0};
    CHECK(bench.xdp(packet / ipv4{} / udp{}) == dropped(SP_REASON_VLAN_DEPTH));
}

TEST_CASE("a frame for another station is dropped and counted, never reported") {
    Bench bench{kOpen};
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Seen seen = bench.xdp(eth{.dst = kOtherMac} / ip(family) / tcp{});
    CHECK(seen == dropped(SP_REASON_OTHER_STATION));
    CHECK(seen.events.empty());
    CHECK(bench.xdp(eth{.dst = kHostMac} / ip(family) / tcp{}) == passes());
}

TEST_CASE("a packet for the host alone in a frame for many is dropped") {
    Bench bench{kOpen};
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    for (const char* mac : {kBroadcastMac, "01:00:5e:00:00:01", "33:33:00:00:00:01"}) {
        INFO(mac);
        CHECK(bench.xdp(eth{.dst = mac} / ip(family) / udp{}) == dropped(SP_REASON_L2_MISMATCH));
    }
    std::string group = family == Family::v4 ? "224.0.0.251" : "ff02::fb";
    CHECK(bench.xdp(eth{.dst = "01:00:5e:00:00:fb"} / ip(family, peer_of(family), group) / udp{}) ==
          passes());
}

TEST_CASE("a device without Ethernet is judged by its IP header, from byte 0 on") {
    Bench bench{allow_in("ssh", "any", "tcp", "22")};
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    CHECK(bench.xdp(ip(family) / tcp{.dport = 22}, "wg0") == passes());
    CHECK(bench.xdp(ip(family) / tcp{.dport = 23}, "wg0") == dropped(SP_REASON_NO_RULE));
    // A frame there is no packet, and a source that reads like an Ethernet type no frame.
    CHECK(bench.xdp(to_host(family) / tcp{.dport = 22}, "wg0") == dropped(SP_REASON_ETHERTYPE));
    CHECK(bench.xdp(ipv4{.src = "8.0.0.1"} / tcp{.dport = 22}, "wg0") == passes());
    CHECK(bench.xdp(ipv4{.src = "8.0.0.1"} / tcp{.dport = 23}, "wg0") ==
          dropped(SP_REASON_NO_RULE));
}

TEST_CASE("an interface whose link type is not known admits nothing") {
    Bench bench{kOpen};
    sp_iface known = bench.iface("eth1");
    sp_iface unknown = known;
    unknown.link = SP_LINK_NONE;
    bench.set_iface("eth1", unknown);
    CHECK(bench.xdp(to_host(Family::v4) / tcp{}, "eth1") == dropped(SP_REASON_ETHERTYPE));
    bench.set_iface("eth1", known);
    CHECK(bench.xdp(to_host(Family::v4) / tcp{}, "eth1") == passes());
}

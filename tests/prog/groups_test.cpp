// SPDX-License-Identifier: Apache-2.0
// Multicast and broadcast: what a host needs of its link passes without rules,
// both ways; all else to a group is judged by rules like anything else.
#include "support/bench.h"
#include "support/icmp_message.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <string>

using namespace sallyport::test;

namespace {

Packet to_group(Family family) {
    if (family == Family::v4) return eth{.dst = "01:00:5e:00:00:fb"} / ipv4{.dst = "224.0.0.251"};
    return eth{.dst = "33:33:00:00:00:fb"} / ipv6{.src = kPeerLink6, .dst = "ff02::fb"};
}

Packet leaving(const std::string& mac, const Packet& packet) {
    return eth{.dst = mac, .src = kHostMac} / packet;
}

} // namespace

TEST_CASE("a datagram to a group or to all is judged by the rules for its port") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_in("mdns", "any", "udp", "5353")};
    CHECK(bench.xdp(to_group(family) / udp{.sport = 5353, .dport = 5353}) == passes());
    CHECK(bench.xdp(to_group(family) / udp{.sport = 5353, .dport = 5354}) ==
          dropped(SP_REASON_NO_RULE));
    Packet all = eth{.dst = kBroadcastMac} / ipv4{.dst = "255.255.255.255"};
    CHECK(bench.xdp(all / udp{.dport = 5353}) == passes());
    CHECK(bench.xdp(all / udp{.dport = 137}) == dropped(SP_REASON_NO_RULE));
}

TEST_CASE("who has no address yet may ask a DHCP server here, by a rule, and for nothing else") {
    Packet head = eth{.dst = kBroadcastMac} / ipv4{.src = "0.0.0.0", .dst = "255.255.255.255"};
    Packet discover = head / udp{.sport = 68, .dport = 67};
    CHECK(Bench{""}.xdp(discover) == dropped(SP_REASON_NO_RULE));
    Bench server{allow_in("dhcp", "any", "udp", "67 69")};
    CHECK(server.xdp(discover) == passes());
    CHECK(server.xdp(head / udp{.sport = 69, .dport = 67}) == dropped(SP_REASON_BOGON));
    CHECK(server.xdp(head / udp{.sport = 68, .dport = 69}) == dropped(SP_REASON_BOGON));
    CHECK(server.xdp(eth{} / ipv4{.src = "0.0.0.0"} / udp{.sport = 68, .dport = 67}) ==
          dropped(SP_REASON_BOGON));
    CHECK(server.xdp(eth{.dst = kBroadcastMac} / ipv4{.src = "0.0.0.1", .dst = "255.255.255.255"} /
                     udp{.sport = 68, .dport = 67}) == dropped(SP_REASON_BOGON));
    CHECK(Bench{allow_in("named", "198.51.100.0/24", "udp", "67")}.xdp(discover) ==
          dropped(SP_REASON_NO_RULE));
}

TEST_CASE("neighbour discovery behind any extension header is dropped, one by one") {
    Bench bench{allow_in("all", "any", "any")};
    Packet head = eth{} / ipv6{.src = kPeerLink6, .dst = kHostLink6, .hop_limit = 255};
    for (const Packet& message : {neighbour_solicitation(), neighbour_advertisement(),
                                  router_solicitation(), router_advertisement()}) {
        CHECK(bench.xdp(head / message) == passes());
        CHECK(bench.xdp(head / hop_by_hop{} / message) == dropped(SP_REASON_NEIGHBOUR));
        CHECK(bench.xdp(head / router_alert() / message) == dropped(SP_REASON_NEIGHBOUR));
        CHECK(bench.xdp(head / dest_options{} / message) == dropped(SP_REASON_NEIGHBOUR));
        CHECK(bench.xdp(head / routing{} / message) == dropped(SP_REASON_NEIGHBOUR));
        CHECK(bench.xdp(head / fragment{} / message) == dropped(SP_REASON_FRAGMENT));
        CHECK(bench.xdp(head / dest_options{} / fragment{} / message) ==
              dropped(SP_REASON_FRAGMENT));
    }
}

TEST_CASE("listener messages have a hop-by-hop header and no other between") {
    Bench bench{allow_in("all", "any", "any")};
    Packet head = eth{} / ipv6{.src = kPeerLink6, .dst = "ff02::1", .hop_limit = 1};
    for (std::uint8_t type : U8s{130, 131, 132, 143}) {
        INFO("type " << int(type));
        CHECK(bench.xdp(head / router_alert() / listener(type)) == passes());
        CHECK(bench.xdp(head / hop_by_hop{.options = {1, 0, 5, 2, 0, 0}} / listener(type)) ==
              passes());
        CHECK(bench.xdp(head / hop_by_hop{} / listener(type)) == dropped(SP_REASON_NEIGHBOUR));
        CHECK(bench.xdp(head / router_alert() / dest_options{} / listener(type)) ==
              dropped(SP_REASON_NEIGHBOUR));
        CHECK(bench.xdp(head / dest_options{.options = {5, 2, 0, 0}} / listener(type)) ==
              dropped(SP_REASON_NEIGHBOUR));
        CHECK(bench.xdp(head / router_alert() / fragment{} / listener(type)) ==
              dropped(SP_REASON_FRAGMENT));
    }
}

TEST_CASE("this host's own solicitations, reports and lease requests leave without a rule") {
    Bench bench{""};
    const std::string group = "33:33:00:00:00:16";
    auto six = [](const std::string& src, const std::string& dst, std::uint8_t hops) {
        return Packet(ipv6{.src = src, .dst = dst, .hop_limit = hops});
    };
    Packet unspecified = six("::", "ff02::1:ff00:1", 255);
    for (const Packet& packet :
         {unspecified / neighbour_solicitation(), // is the address taken?
          six(kHostLink6, "ff02::1:ff00:7", 255) / neighbour_solicitation(),
          six(kHostLink6, kPeerLink6, 255) / neighbour_advertisement(),
          six(kHost6, kPeer6, 255) / neighbour_advertisement(),
          six(kHostLink6, "ff02::2", 255) / router_solicitation(),
          six("::", "ff02::2", 255) / router_solicitation(),
          six("::", "ff02::16", 1) / router_alert() / listener(143),
          six(kHostLink6, "ff02::16", 1) / router_alert() / listener(143),
          six(kHostLink6, "ff02::fb", 1) / router_alert() / listener(131),
          six(kHostLink6, "ff02::2", 1) / router_alert() / listener(132),
          six(kHostLink6, "ff02::1:2", 1) / udp{.sport = 546, .dport = 547},
          Packet(ipv4{.src = kHost4,
                      .dst = "224.0.0.22",
                      .proto = 2,
                      .ttl = 1,
                      .options = {148, 4, 0, 0}}) /
              filler(16, 0x22),
          Packet(ipv4{.src = kHost4, .dst = "224.0.0.2", .proto = 2, .ttl = 1}) / filler(8, 0x17),
          Packet(ipv4{.src = "0.0.0.0", .dst = "255.255.255.255"}) / udp{.sport = 68, .dport = 67},
          Packet(ipv4{.src = kHost4, .dst = "10.0.0.1"}) / udp{.sport = 68, .dport = 67}}) {
        INFO(hex(packet.bytes()));
        CHECK(bench.tc(leaving(group, packet)) == passes());
        CHECK(bench.cgroup(leaving(group, packet)) == passes());
    }
    // A piece of a message is none.
    Packet piece =
        Packet(ipv4{.src = kHost4, .dst = "224.0.0.22", .proto = 2, .ttl = 1, .mf = true}) /
        filler(16, 0x22);
    CHECK(bench.tc(leaving(group, piece)) == dropped(SP_REASON_FRAGMENT));
    CHECK(bench.cgroup(leaving(group, piece)) == dropped(SP_REASON_FRAGMENT));
    // Their like, that only look so.
    for (const Packet& packet :
         {six(kHostLink6, "ff02::2", 64) / router_solicitation(),
          six(kHostLink6, "ff02::16", 1) / listener(143),
          six(kHost6, "ff02::16", 1) / router_alert() / listener(143),
          six(kHostLink6, "ff02::1", 255) / dest_options{} / router_advertisement()}) {
        INFO(hex(packet.bytes()));
        CHECK(bench.tc(leaving(group, packet)) == dropped(SP_REASON_NEIGHBOUR));
        CHECK(bench.cgroup(leaving(group, packet)) == dropped(SP_REASON_NEIGHBOUR));
    }
    for (const Packet& packet :
         {six(kHostLink6, kPeer6, 64) / udp{.sport = 546, .dport = 547},
          Packet(ipv4{.src = kHost4, .dst = "224.0.0.251"}) / udp{.sport = 68, .dport = 69}}) {
        INFO(hex(packet.bytes()));
        CHECK(bench.tc(leaving(group, packet)) == dropped(SP_REASON_NO_RULE));
    }
}

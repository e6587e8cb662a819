// SPDX-License-Identifier: Apache-2.0
// What a host needs to stay on its network: neighbour and router discovery and
// multicast listeners with the hop limits of their RFCs, redirects, ARP, DHCP.
#include "support/bench.h"
#include "support/icmp_message.h"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

using namespace sallyport::test;

namespace {

struct Named {
    std::string name;
    Packet message;
    bool from_link_local; // its RFC asks so
};

std::vector<Named> neighbour_messages() {
    return {
        {"neighbour solicitation", neighbour_solicitation(), false},
        {"neighbour advertisement", neighbour_advertisement(), false},
        {"router solicitation", router_solicitation(), false},
        {"router advertisement", router_advertisement(), true},
    };
}

Packet on_link(const std::string& src, std::uint8_t hops) {
    return eth{} / ipv6{.src = src, .dst = kHostLink6, .hop_limit = hops};
}

} // namespace

TEST_CASE(
    "neighbour discovery passes with the hop limit no router lets through, and with no other") {
    Bench bench{""};
    for (const Named& row : neighbour_messages()) {
        INFO(row.name);
        CHECK(bench.xdp(on_link(kPeerLink6, 255) / row.message) == passes());
        for (std::uint8_t hops : U8s{0, 1, 64, 254}) {
            CHECK(bench.xdp(on_link(kPeerLink6, hops) / row.message) ==
                  dropped(SP_REASON_NEIGHBOUR));
        }
    }
}

TEST_CASE("router advertisements come from a link-local address, solicitations from any") {
    Bench bench{""};
    for (const Named& row : neighbour_messages()) {
        INFO(row.name);
        CHECK(bench.xdp(on_link(kPeer6, 255) / row.message) ==
              (row.from_link_local ? dropped(SP_REASON_NEIGHBOUR) : passes()));
    }
    // Duplicate address detection asks from the unspecified address.
    CHECK(bench.xdp(eth{.dst = "33:33:ff:00:00:01"} /
                    ipv6{.src = "::", .dst = "ff02::1:ff00:1", .hop_limit = 255} /
                    neighbour_solicitation()) == passes());
}

TEST_CASE("an advertisement comes from a router that the policy names") {
    Bench named{essentials("routers = [\"" + std::string(kPeerLink6) + "\"]")};
    for (const Named& row : neighbour_messages()) {
        INFO(row.name);
        CHECK(named.xdp(on_link(kPeerLink6, 255) / row.message) == passes());
        CHECK(named.xdp(on_link("fe80::bad", 255) / row.message) ==
              (row.from_link_local ? dropped(SP_REASON_NEIGHBOUR) : passes()));
    }
    Bench nobody{essentials("routers = \"none\"")};
    for (const Named& row : neighbour_messages()) {
        INFO(row.name);
        CHECK(nobody.xdp(on_link(kPeerLink6, 255) / row.message) ==
              (row.from_link_local ? dropped(SP_REASON_NEIGHBOUR) : passes()));
    }
}

TEST_CASE("neighbour discovery with a code, behind a fragment header, or switched off is dropped") {
    Bench bench{allow_in("all", "any", "any")};
    CHECK(bench.xdp(on_link(kPeerLink6, 255) / neighbour_solicitation({.code = 1})) ==
          dropped(SP_REASON_NEIGHBOUR));
    CHECK(bench.xdp(on_link(kPeerLink6, 255) / fragment{} / neighbour_advertisement()) ==
          dropped(SP_REASON_FRAGMENT));
    Bench off{allow_in("all", "any", "any") + essentials("neighbour-discovery = false")};
    for (const Named& row : neighbour_messages()) {
        INFO(row.name);
        CHECK(off.xdp(on_link(kPeerLink6, 255) / row.message) == dropped(SP_REASON_NEIGHBOUR));
    }
}

TEST_CASE(
    "multicast listener messages pass with hop limit 1, a router alert and a link-local source") {
    Bench bench{""};
    for (std::uint8_t type : U8s{130, 131, 132, 143}) {
        INFO("type " << int(type));
        CHECK(bench.xdp(on_link(kPeerLink6, 1) / router_alert() / listener(type)) == passes());
        CHECK(bench.xdp(on_link(kPeerLink6, 2) / router_alert() / listener(type)) ==
              dropped(SP_REASON_NEIGHBOUR));
        CHECK(bench.xdp(on_link(kPeerLink6, 255) / router_alert() / listener(type)) ==
              dropped(SP_REASON_NEIGHBOUR));
        CHECK(bench.xdp(on_link(kPeerLink6, 1) / listener(type)) == dropped(SP_REASON_NEIGHBOUR));
        CHECK(bench.xdp(on_link(kPeer6, 1) / router_alert() / listener(type)) ==
              dropped(SP_REASON_NEIGHBOUR));
    }
}

TEST_CASE("redirects are dropped by default and pass, when sound, where the policy wants them") {
    Bench strict{allow_in("all", "any", "any")};
    CHECK(strict.xdp(eth{} / ipv4{} / redirect4()) == dropped(SP_REASON_REDIRECT));
    CHECK(strict.xdp(on_link(kPeerLink6, 255) / redirect6()) == dropped(SP_REASON_REDIRECT));
    Bench lax{allow_in("all", "any", "any") + essentials("redirects = true")};
    CHECK(lax.xdp(eth{} / ipv4{} / redirect4()) == passes());
    CHECK(lax.xdp(on_link(kPeerLink6, 255) / redirect6()) == passes());
    CHECK(lax.xdp(on_link(kPeerLink6, 254) / redirect6()) == dropped(SP_REASON_REDIRECT));
    CHECK(lax.xdp(on_link(kPeer6, 255) / redirect6()) == dropped(SP_REASON_REDIRECT));
}

TEST_CASE("ARP passes in both directions unless it is switched off") {
    Bench on{""};
    Packet request = eth{.dst = kBroadcastMac} / arp{};
    Packet reply =
        eth{.dst = kPeerMac, .src = kHostMac} / arp{.operation = 2, .sender_mac = kHostMac};
    CHECK(on.xdp(request) == passes());
    CHECK(on.tc(reply) == passes());
    CHECK(on.xdp(eth{.dst = kOtherMac} / arp{}) == dropped(SP_REASON_OTHER_STATION));
    Bench off{allow_in("all", "any", "any") + allow_out("all out", "any", "any") +
              essentials("arp = false")};
    CHECK(off.xdp(request) == dropped(SP_REASON_ARP));
    CHECK(off.tc(reply) == dropped(SP_REASON_ARP));
}

TEST_CASE(
    "DHCP answers reach the client, whoever they are addressed to, unless it is switched off") {
    Packet v4_broadcast =
        eth{.dst = kBroadcastMac} / ipv4{.dst = "255.255.255.255"} / udp{.sport = 67, .dport = 68};
    Packet v4_unicast = eth{} / ipv4{.dst = "192.0.2.77"} / udp{.sport = 67, .dport = 68};
    Packet v6 =
        eth{} / ipv6{.src = kPeerLink6, .dst = kHostLink6} / udp{.sport = 547, .dport = 546};
    Bench on{""};
    CHECK(on.xdp(v4_broadcast) == passes());
    CHECK(on.xdp(v4_unicast) == passes());
    CHECK(on.xdp(v6) == passes());
    Bench off{essentials("dhcp-client = false")};
    CHECK_FALSE(off.xdp(v4_broadcast).passed);
    CHECK_FALSE(off.xdp(v4_unicast).passed);
    CHECK(off.xdp(v6) == dropped(SP_REASON_NO_RULE));
}

TEST_CASE("what only resembles DHCP is judged like anything else") {
    Bench bench{""};
    CHECK(bench.xdp(eth{} / ipv4{} / udp{.sport = 68, .dport = 67}) == dropped(SP_REASON_NO_RULE));
    CHECK(bench.xdp(eth{} / ipv4{} / udp{.sport = 67, .dport = 69}) == dropped(SP_REASON_NO_RULE));
    CHECK(bench.xdp(eth{} / ipv4{} / tcp{.sport = 67, .dport = 68}) == dropped(SP_REASON_NO_RULE));
    CHECK(bench.xdp(eth{} / ipv6{.src = kPeer6, .dst = kHost6} / udp{.sport = 547, .dport = 546}) ==
          dropped(SP_REASON_NO_RULE));
}

TEST_CASE("the host may solicit, report and ask for a lease without any egress rule") {
    Bench bench{""};
    Packet v6 = eth{.dst = "33:33:00:00:00:02", .src = kHostMac};
    CHECK(bench.tc(v6 / ipv6{.src = kHostLink6, .dst = "ff02::2", .hop_limit = 255} /
                   router_solicitation()) == passes());
    CHECK(bench.tc(v6 / ipv6{.src = kHostLink6, .dst = "ff02::16", .hop_limit = 1} /
                   router_alert() / listener(143)) == passes());
    Packet discover = eth{.dst = kBroadcastMac, .src = kHostMac} /
                      ipv4{.src = "0.0.0.0", .dst = "255.255.255.255"} /
                      udp{.sport = 68, .dport = 67};
    CHECK(bench.tc(discover) == passes());
    // Port 68 is any process's that may bind it: a server is near, or is asked by broadcast.
    const auto renewal = [](const char* server) {
        return eth{.dst = kPeerMac, .src = kHostMac} / ipv4{.src = kHost4, .dst = server} /
               udp{.sport = 68, .dport = 67};
    };
    CHECK(bench.tc(renewal("10.9.9.9")) == passes());
    CHECK(bench.tc(renewal("169.254.1.1")) == passes());
    CHECK(bench.tc(renewal("203.0.113.9")) == dropped(SP_REASON_NO_RULE));
    Packet other = eth{.dst = kBroadcastMac, .src = kHostMac} /
                   ipv4{.src = "0.0.0.0", .dst = "255.255.255.255"} / udp{.sport = 68, .dport = 69};
    CHECK(bench.tc(other) == dropped(SP_REASON_NO_RULE));
    Bench inside{"[exfil]\ninside = [\"203.0.113.0/24\"]\n"};
    CHECK(inside.tc(renewal("203.0.113.9")) == passes());
    CHECK(inside.tc(renewal("10.9.9.9")) == dropped(SP_REASON_NO_RULE));
}

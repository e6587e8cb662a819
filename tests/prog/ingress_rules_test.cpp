// SPDX-License-Identifier: Apache-2.0
// Who may open connections to this host: edges of prefixes and port ranges,
// protocols by name and number, deny before allow, which rule counts.
#include "support/bench.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace sallyport::test;

namespace {

Packet syn_from(const std::string& src, std::uint16_t port = 22) {
    Family family = src.find(':') == std::string::npos ? Family::v4 : Family::v6;
    return eth{} / ip(family, src, host_of(family)) / tcp{.dport = port};
}

} // namespace

TEST_CASE("a rule's prefix admits its first and last address and neither neighbour") {
    Bench bench{
        allow_in("ssh", "10.1.2.0/23 10.9.9.9 2001:db8:5::/48 fd00::8/125 fd77::1", "tcp", "22")};
    for (const char* in :
         {"10.1.2.0", "10.1.3.255", "10.9.9.9",
          "2001:db8:5::", "2001:db8:5:ffff:ffff:ffff:ffff:ffff", "fd00::8", "fd00::f", "fd77::1"}) {
        INFO(in);
        CHECK(bench.xdp(syn_from(in)) == passes());
    }
    for (const char* out :
         {"10.1.1.255", "10.1.4.0", "10.9.9.8", "10.9.9.10", "2001:db8:4:ffff:ffff:ffff:ffff:ffff",
          "2001:db8:6::", "fd00::7", "fd00::10", "fd77::", "fd77::2"}) {
        INFO(out);
        CHECK(bench.xdp(syn_from(out)) == dropped(SP_REASON_NO_RULE));
    }
}

TEST_CASE("every prefix length draws its line at its own bit") {
    for (unsigned length : {1u, 7u, 8u, 9u, 15u, 16u, 17u, 23u, 24u, 25u, 31u, 32u}) {
        INFO("/" << length);
        std::uint32_t base = 0xc8a55a5au & (0xffffffffu << (32 - length));
        auto dotted = [](std::uint32_t a) {
            return std::to_string(a >> 24) + "." + std::to_string(a >> 16 & 255) + "." +
                   std::to_string(a >> 8 & 255) + "." + std::to_string(a & 255);
        };
        Bench bench{allow_in("net", dotted(base) + "/" + std::to_string(length), "tcp", "22")};
        std::uint32_t last =
            base | static_cast<std::uint32_t>((std::uint64_t{1} << (32 - length)) - 1);
        CHECK(bench.xdp(syn_from(dotted(base))) == passes());
        if (length >= 8) CHECK(bench.xdp(syn_from(dotted(last))) == passes());
        CHECK(bench.xdp(syn_from(dotted(base ^ (1u << (32 - length))))).passed == false);
        if (length >= 8) CHECK(bench.xdp(syn_from(dotted(last + 1))).passed == false);
    }
}

TEST_CASE("a rule's ports admit both ends of each range and neither neighbour") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_in("web", "any", "tcp", "80 443 8000-8010 65535")};
    for (std::uint16_t port : U16s{80, 443, 8000, 8005, 8010, 65535}) {
        INFO("port " << port);
        CHECK(bench.xdp(syn_from(peer_of(family), port)) == passes());
        CHECK(bench.xdp(to_host(family) / udp{.dport = port}) == dropped(SP_REASON_NO_RULE));
    }
    for (std::uint16_t port : U16s{0, 1, 79, 81, 442, 444, 7999, 8011, 65534}) {
        INFO("port " << port);
        CHECK(bench.xdp(syn_from(peer_of(family), port)) == dropped(SP_REASON_NO_RULE));
    }
}

TEST_CASE("a rule without ports is for all of its protocol's and for no other protocol") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_in("tcp", "any", "tcp")};
    for (std::uint16_t port : U16s{0, 1, 32767, 65535}) {
        CHECK(bench.xdp(syn_from(peer_of(family), port)) == passes());
        CHECK(bench.xdp(to_host(family) / udp{.dport = port}) == dropped(SP_REASON_NO_RULE));
    }
    CHECK(bench.xdp(to_host(family) / sctp{}) == dropped(SP_REASON_NO_RULE));
}

TEST_CASE("protocol any is every protocol, also those without ports") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_in("all", "any", "any") + essentials("ping = \"none\"")};
    Packet head = to_host(family);
    for (const Packet& tail : {Packet(tcp{}), Packet(udp{}), Packet(udplite{}), Packet(sctp{})}) {
        CHECK(bench.xdp(head / tail) == passes());
    }
    Packet bare = family == Family::v4 ? Packet(eth{}) / ipv4{.proto = std::uint8_t{47}} / filler(8)
                                       : Packet(eth{}) / ipv6{.next = std::uint8_t{47}} / filler(8);
    CHECK(bench.xdp(bare) == passes());
}

TEST_CASE("a numbered protocol is that one alone") {
    Bench bench{allow_in("ospf", "198.51.100.0/24", "89")};
    CHECK(bench.xdp(eth{} / ipv4{.proto = std::uint8_t{89}} / filler(8)) == passes());
    CHECK(bench.xdp(eth{} / ipv4{.proto = std::uint8_t{88}} / filler(8)) ==
          dropped(SP_REASON_NO_RULE));
    CHECK(bench.xdp(eth{} / ipv4{.src = "198.51.101.7", .proto = std::uint8_t{89}} / filler(8)) ==
          dropped(SP_REASON_NO_RULE));
}

TEST_CASE("deny comes before every allow, however narrow the allow") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    std::string host = family == Family::v4 ? "198.51.100.7/32" : "2001:db8:1::7/128";
    std::string net = family == Family::v4 ? "198.51.0.0/16" : "2001:db8::/32";
    Bench bench{allow_in("friend", host, "tcp", "22") + deny_in("no telnet", net, "tcp", "23") +
                allow_in("all", host, "any") + deny_in("never", net, "tcp", "22")};
    Seen seen = bench.xdp(to_host(family) / tcp{.dport = 22});
    CHECK(seen == dropped(SP_REASON_DENIED));
    CHECK(seen.rule == "never");
    CHECK(bench.rule_count("never").denied == 1);
    CHECK(bench.rule_count("friend").admitted == 0);
    CHECK(bench.xdp(to_host(family) / tcp{.dport = 23}).rule == "no telnet");
    CHECK(bench.xdp(to_host(family) / tcp{.dport = 24}) == passes());
}

TEST_CASE("a deny rule with ports and no protocol is for TCP, UDP, UDP-Lite and SCTP") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_in("all", "any", "any") + deny_in("no 7", "", "", "7")};
    Packet head = to_host(family);
    for (const Packet& tail : {Packet(tcp{.dport = 7}), Packet(udp{.dport = 7}),
                               Packet(udplite{.dport = 7}), Packet(sctp{.dport = 7})}) {
        CHECK(bench.xdp(head / tail) == dropped(SP_REASON_DENIED));
    }
    for (const Packet& tail : {Packet(tcp{.dport = 8}), Packet(udp{.dport = 6}),
                               Packet(udplite{.dport = 8}), Packet(sctp{.dport = 6})}) {
        CHECK(bench.xdp(head / tail) == passes());
    }
}

TEST_CASE("of several rules that match, the most specific one decides and counts") {
    Bench bench{
        allow_in("everybody", "any", "tcp", "22") + allow_in("lan any", "10.0.0.0/8", "any") +
        allow_in("lan wide", "10.0.0.0/8", "tcp", "1-1000") +
        allow_in("lan", "10.0.0.0/8", "tcp", "22") +
        allow_in("lan again", "10.0.0.0/8", "tcp", "22") + allow_in("desk", "10.0.0.0/24", "any")};
    CHECK(bench.xdp(syn_from("198.51.100.7")).rule == "everybody");
    CHECK(bench.xdp(syn_from("10.5.5.5")).rule == "lan");
    CHECK(bench.xdp(syn_from("10.5.5.5", 23)).rule == "lan wide");
    CHECK(bench.xdp(syn_from("10.5.5.5", 1001)).rule == "lan any");
    CHECK(bench.xdp(syn_from("10.0.0.5")).rule == "desk");
    CHECK(bench.rule_count("lan").admitted == 1);
    CHECK(bench.rule_count("lan again").admitted == 0);
    CHECK(bench.rule_count("lan").bytes == 54);
}

TEST_CASE("a zone's exceptions are outside it, and its interfaces bound it") {
    Bench bench{"[zones]\nlan = [\"10.0.0.0/8\"]\n"
                "ok = { zones = [\"lan\"], except = [\"10.0.0.13\", \"10.3.0.0/16\"] }\n"
                "rack = { networks = [\"172.20.0.0/16\"], interfaces = [\"eth1\"] }\n" +
                allow_in("ssh", "ok", "tcp", "22") + allow_in("rack", "rack", "tcp", "22")};
    CHECK(bench.xdp(syn_from("10.0.0.12")) == passes());
    CHECK(bench.xdp(syn_from("10.0.0.13")) == dropped(SP_REASON_NO_RULE));
    CHECK(bench.xdp(syn_from("10.2.255.255")) == passes());
    CHECK(bench.xdp(syn_from("10.3.0.0")) == dropped(SP_REASON_NO_RULE));
    CHECK(bench.xdp(syn_from("10.3.255.255")) == dropped(SP_REASON_NO_RULE));
    CHECK(bench.xdp(syn_from("10.4.0.0")) == passes());
    CHECK(bench.xdp(syn_from("172.20.1.1"), "eth1") == passes());
    CHECK(bench.xdp(syn_from("172.20.1.1"), "eth0") == dropped(SP_REASON_NO_RULE));
    CHECK(bench.xdp(syn_from("10.0.0.12"), "eth1") == passes());
}

TEST_CASE("a rule's interfaces bound it, globs too") {
    Bench bench{allow_in("ssh", "any", "tcp", "22") + "interfaces = [\"eth1\"]\n" +
                allow_in("web", "any", "tcp", "80") + "interfaces = [\"eth*\"]\n"};
    CHECK(bench.xdp(syn_from(kPeer4, 22), "eth1") == passes());
    CHECK(bench.xdp(syn_from(kPeer4, 22), "eth0") == dropped(SP_REASON_NO_RULE));
    CHECK(bench.xdp(syn_from(kPeer4, 80), "eth0") == passes());
    CHECK(bench.xdp(ipv4{} / tcp{.dport = 80}, "wg0") == dropped(SP_REASON_NO_RULE));
}

TEST_CASE("rules for IPv4 say nothing of IPv6, and the other way round") {
    Bench v4{allow_in("all", "0.0.0.0/0", "any")};
    CHECK(v4.xdp(to_host(Family::v4) / tcp{}) == passes());
    CHECK(v4.xdp(to_host(Family::v6) / tcp{}) == dropped(SP_REASON_NO_RULE));
    Bench v6{allow_in("all", "::/0", "any")};
    CHECK(v6.xdp(to_host(Family::v6) / tcp{}) == passes());
    CHECK(v6.xdp(to_host(Family::v4) / tcp{}) == dropped(SP_REASON_NO_RULE));
}

TEST_CASE("log = \"new\" reports an admitted opening, and only that") {
    Bench bench{allow_in("ssh", "any", "tcp", "22") + "log = \"new\"\n" +
                allow_in("web", "any", "tcp", "80")};
    Seen seen = bench.xdp(to_host(Family::v4) / tcp{.dport = 22});
    REQUIRE(seen.events.size() == 1);
    CHECK(seen.events[0].kind == SP_EVENT_NEW);
    CHECK(seen.rule == "ssh");
    CHECK(seen.disagreements.empty());
    CHECK(bench.xdp(to_host(Family::v4) / tcp{.dport = 80}).events.empty());
}

TEST_CASE("a policy without rules admits nothing but the essentials") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{""};
    for (const Packet& tail : {Packet(tcp{}), Packet(udp{}), Packet(sctp{}), Packet(udplite{})}) {
        CHECK(bench.xdp(to_host(family) / tail) == dropped(SP_REASON_NO_RULE));
        CHECK(bench.cgroup(from_host(family) / tail) == dropped(SP_REASON_NO_RULE));
        CHECK(bench.tc(from_host(family) / tail) == dropped(SP_REASON_NO_RULE));
    }
}

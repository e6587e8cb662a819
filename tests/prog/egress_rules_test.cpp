// SPDX-License-Identifier: Apache-2.0
// What this host may open connections to, at the cgroup and at the NIC.
#include "support/bench.h"
#include "support/icmp_message.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <functional>

using namespace sallyport::test;

namespace {

using Hook = Seen (*)(Bench&, const Packet&);

Seen by_cgroup(Bench& bench, const Packet& packet) {
    return bench.cgroup(packet);
}
Seen by_nic(Bench& bench, const Packet& packet) {
    return bench.tc(packet);
}

Packet toward(const std::string& dst, const Packet& transport) {
    Family family = dst.find(':') == std::string::npos ? Family::v4 : Family::v6;
    return eth{.dst = kPeerMac, .src = kHostMac} / ip(family, host_of(family), dst) / transport;
}

} // namespace

TEST_CASE("an egress rule admits its prefix and its ports to the edge, at both hooks") {
    Hook out = GENERATE(&by_cgroup, &by_nic);
    Bench bench{allow_out("postgres", "10.0.2.10 10.0.3.0/24 fd00:2::/64", "tcp", "5432-5433")};
    for (const char* dst :
         {"10.0.2.10", "10.0.3.0", "10.0.3.255", "fd00:2::", "fd00:2::ffff:ffff:ffff:ffff"}) {
        INFO(dst);
        Seen seen = out(bench, toward(dst, tcp{.dport = 5432}));
        CHECK(seen == passes());
        CHECK(seen.rule == "postgres");
        CHECK(out(bench, toward(dst, tcp{.dport = 5433})) == passes());
        CHECK(out(bench, toward(dst, tcp{.dport = 5431})) == dropped(SP_REASON_NO_RULE));
        CHECK(out(bench, toward(dst, tcp{.dport = 5434})) == dropped(SP_REASON_NO_RULE));
        CHECK(out(bench, toward(dst, udp{.dport = 5432})) == dropped(SP_REASON_NO_RULE));
    }
    for (const char* dst :
         {"10.0.2.9", "10.0.2.11", "10.0.2.255", "10.0.4.0", "fd00:1::", "fd00:2:0:1::"}) {
        INFO(dst);
        CHECK(out(bench, toward(dst, tcp{.dport = 5432})) == dropped(SP_REASON_NO_RULE));
    }
}

TEST_CASE("an egress deny comes before every egress allow, and says nothing of ingress") {
    Hook out = GENERATE(&by_cgroup, &by_nic);
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_in("telnet", "any", "tcp", "23") + allow_out("all", "any", "any") +
                deny_out("no telnet", "any", "tcp", "23")};
    Seen seen = out(bench, from_host(family) / tcp{.dport = 23});
    CHECK(seen == dropped(SP_REASON_DENIED));
    CHECK(seen.rule == "no telnet");
    CHECK(out(bench, from_host(family) / tcp{.dport = 24}) == passes());
    CHECK(bench.xdp(to_host(family) / tcp{.dport = 23}) == passes());
}

TEST_CASE("loopback is never judged at the cgroup") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{""};
    CHECK(bench.cgroup(from_host(family) / tcp{}, "lo").passed);
    CHECK(bench.cgroup(from_host(family) / tcp{}, "eth0") == dropped(SP_REASON_NO_RULE));
}

TEST_CASE("egress is judged on interfaces that are not guarded, too") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_out("dns", "any", "udp", "53")};
    CHECK(bench.cgroup(from_host(family) / tcp{.dport = 443}, "eth2") ==
          dropped(SP_REASON_NO_RULE));
    CHECK(bench.cgroup(from_host(family) / udp{.dport = 53}, "eth2") == passes());
}

TEST_CASE("raw protocols and fragments leave by name or not at all") {
    Hook out = GENERATE(&by_cgroup, &by_nic);
    Bench bench{allow_out("gre", "any", "47")};
    Packet head = eth{.dst = kPeerMac, .src = kHostMac};
    CHECK(out(bench, head / ipv4{.src = kHost4, .dst = kPeer4, .proto = std::uint8_t{47}} /
                         filler(8)) == passes());
    CHECK(out(bench, head / ipv4{.src = kHost4, .dst = kPeer4, .proto = std::uint8_t{4}} /
                         filler(8)) == dropped(SP_REASON_NO_RULE));
    CHECK(out(bench, head / ipv6{.src = kHost6, .dst = kPeer6, .next = std::uint8_t{47}} /
                         filler(8)) == passes());
    CHECK(out(bench, head /
                         ipv4{.src = kHost4, .dst = kPeer4, .proto = std::uint8_t{47}, .mf = true} /
                         filler(8)) == dropped(SP_REASON_FRAGMENT));
    CHECK(out(bench, head / ipv6{.src = kHost6, .dst = kPeer6} / fragment{.more = true} / udp{}) ==
          dropped(SP_REASON_FRAGMENT));
}

TEST_CASE("a refused way out of the inside is exfiltration, within it, to a group or to the link "
          "it is not") {
    Hook out = GENERATE(&by_cgroup, &by_nic);
    Bench bench{""};
    auto exfil = [&](const std::string& dst) {
        Seen seen = out(bench, toward(dst, tcp{.dport = 443}));
        REQUIRE(seen.events.size() == 1);
        CHECK_FALSE(seen.passed);
        CHECK(seen.events[0].direction == SP_EGRESS);
        return (seen.events[0].flags & SP_EVENT_EXFIL) != 0;
    };
    for (const char* dst :
         {"203.0.113.9", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
          "172.15.255.255", "172.32.0.0", "2001:db8::5", "fbff::1", "fe00::1"}) {
        INFO(dst);
        CHECK(exfil(dst));
    }
    for (const char* dst :
         {"10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.1", "100.64.0.0",
          "100.127.255.255", "fc00::1", "fdff::1", "224.0.0.251", "255.255.255.255", "169.254.1.1",
          "fe80::7", "ff02::fb"}) {
        INFO(dst);
        CHECK_FALSE(exfil(dst));
    }
}

TEST_CASE("what is inside is the policy's to say") {
    Bench bench{"[exfil]\ninside = [\"203.0.113.0/24\"]\n"};
    Seen inside = bench.tc(toward("203.0.113.9", udp{}));
    Seen outside = bench.tc(toward("10.0.0.1", udp{}));
    REQUIRE(inside.events.size() == 1);
    REQUIRE(outside.events.size() == 1);
    CHECK((inside.events[0].flags & SP_EVENT_EXFIL) == 0);
    CHECK((outside.events[0].flags & SP_EVENT_EXFIL) != 0);
}

TEST_CASE("a cloud's metadata address has a reason of its own and is exfiltration, unless a rule "
          "allows it") {
    Hook out = GENERATE(&by_cgroup, &by_nic);
    for (const char* dst : {"169.254.169.254", "fd00:ec2::254"}) {
        INFO(dst);
        Bench shut{""};
        Seen seen = out(shut, toward(dst, tcp{.dport = 80}));
        CHECK(seen == dropped(SP_REASON_METADATA));
        REQUIRE(seen.events.size() == 1);
        CHECK((seen.events[0].flags & SP_EVENT_EXFIL) != 0);
        Bench open{allow_out("metadata", "169.254.169.254 fd00:ec2::254", "tcp", "80")};
        CHECK(out(open, toward(dst, tcp{.dport = 80})) == passes());
    }
    Bench shut{""};
    CHECK(out(shut, toward("169.254.169.253", tcp{.dport = 80})) == dropped(SP_REASON_NO_RULE));
}

TEST_CASE("a sender of another cgroup is judged at the NIC by the same rules") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_out("web", "any", "tcp", "443"), BenchOptions{.sender = Sender::outside}};
    CHECK(bench.tc(from_host(family) / tcp{.dport = 443}) == passes());
    CHECK(bench.tc(from_host(family) / tcp{.dport = 444}) == dropped(SP_REASON_NO_RULE));
}

TEST_CASE("what the kernel sends in answer passes where the question would, and only there") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_in("dns", "any", "udp", "53") + allow_in("ssh", "any", "tcp", "22")};
    CHECK(bench.tc(from_host(family) / udp{.sport = 53, .dport = kClientPort}) == passes());
    CHECK(bench.tc(from_host(family) / udp{.sport = 54, .dport = kClientPort}) ==
          dropped(SP_REASON_NO_RULE));
    CHECK(bench.tc(from_host(family) /
                   tcp{.sport = 22, .dport = kClientPort, .flags = SYN | ACK}) == passes());
    CHECK(
        bench.tc(from_host(family) / tcp{.sport = 23, .dport = kClientPort, .flags = SYN | ACK}) ==
        dropped(SP_REASON_NO_RULE));
    CHECK(bench.tc(from_host(family) / echo_reply(family)) == passes());
    Bench silent{essentials("ping = \"none\"")};
    CHECK(silent.tc(from_host(family) / echo_reply(family)) == dropped(SP_REASON_NO_RULE));
}

TEST_CASE("a bare RST leaves, because the peer must hear of the end; one with data does not") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{""};
    CHECK(bench.tc(from_host(family) / tcp{.flags = RST}) == passes());
    CHECK(bench.tc(from_host(family) / tcp{.flags = RST | ACK}) == passes());
    CHECK_FALSE(bench.tc(from_host(family) / tcp{.flags = RST | ACK} / text("secret")).passed);
}

TEST_CASE("who may ping the host gets answers, not whatever ICMP can carry") {
    Hook out = GENERATE(&by_cgroup, &by_nic);
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_in("ping", "any", "icmp") + essentials("ping = \"none\"")};
    CHECK(out(bench, from_host(family) / echo_reply(family)) == passes());
    CHECK(out(bench, from_host(family) / echo_request(family)) == dropped(SP_REASON_NO_RULE));
    for (std::uint8_t type : U8s{13, 126, 200, 254}) {
        INFO("type " << int(type));
        Packet message =
            family == Family::v4 ? Packet(icmp{.type = type}) : Packet(icmp6{.type = type});
        CHECK(out(bench, from_host(family) / message / text("secret")) ==
              dropped(SP_REASON_NO_RULE));
    }
}

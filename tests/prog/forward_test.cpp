// SPDX-License-Identifier: Apache-2.0
// What is routed: a box on the inside (by eth2, which is not guarded) and the peer
// outside (by eth0, which is). The hook for what is routed is netfilter's or, where the
// kernel has none, TC ingress of the interface without guard; XDP comes before either.
#include "support/bench.h"
#include "support/flow_table.h"
#include "support/icmp_message.h"
#include "support/machine.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <vector>

using namespace sallyport::test;

namespace {

const std::string kBoxes = "10.9.0.0/24 fd00:9::/64";
const std::string kPeers = "198.51.100.0/24 2001:db8:1::/64";

const char* box_of(Family family) {
    return family == Family::v4 ? "10.9.0.2" : "fd00:9::2";
}
Packet away(Family family, const Packet& transport) {
    return eth{} / ip(family, box_of(family), peer_of(family)) / transport;
}
Packet toward(Family family, const Packet& transport) {
    return eth{} / ip(family, peer_of(family), box_of(family)) / transport;
}
// Those that this kernel has.
std::vector<sp_forward_hook> forward_hooks() {
    std::vector<sp_forward_hook> hooks{SP_FORWARD_TC_INGRESS};
    if (has_netfilter_programs()) hooks.push_back(SP_FORWARD_NETFILTER);
    return hooks;
}
BenchOptions with(sp_forward_hook hook) {
    return {.forward_hook = hook};
}

const std::string kAway = allow_through("web", kBoxes, kPeers, "tcp", "443") +
                          allow_through("dns", kBoxes, kPeers, "udp", "53") +
                          allow_through("ping", kBoxes, kPeers, "icmp");
const std::string kToward = allow_through("web", kPeers, kBoxes, "tcp", "80") +
                            allow_through("dns", kPeers, kBoxes, "udp", "53");

} // namespace

TEST_CASE("what is routed passes by a forward rule, and only by one") {
    Family family = GENERATE(Family::v4, Family::v6);
    sp_forward_hook hook = GENERATE(from_range(forward_hooks()));
    INFO(to_string(family) << ", hook " << hook);
    Bench bench{kAway + deny_through("no", box_of(family), peer_of(family), "udp", "5353") +
                    allow_through("mdns", kBoxes, kPeers, "udp", "5353") +
                    allow_in("in", "any", "any") + allow_out("out", "any", "any"),
                with(hook)};
    Seen seen = bench.forward(away(family, tcp{.dport = 443}));
    CHECK(seen == passes());
    CHECK(seen.rule == "web");
    CHECK(bench.rule_count("web").admitted == 1);
    CHECK(bench.forward(away(family, echo_request(family))) == passes());
    CHECK(bench.forward(away(family, tcp{.dport = 444})) == dropped(SP_REASON_NO_RULE));
    CHECK(bench.forward(away(family, udp{.dport = 443})) == dropped(SP_REASON_NO_RULE));
    CHECK(bench.forward(away(family, udp{.dport = 5353})) == dropped(SP_REASON_DENIED));
    CHECK(bench.forward(toward(family, tcp{.dport = 443})) == dropped(SP_REASON_NO_RULE));
    CHECK(bench.xdp(toward(family, tcp{.dport = 443})) == dropped(SP_REASON_NO_RULE));
}

TEST_CASE("without a policy, and by one without forward rules, nothing is routed") {
    Family family = GENERATE(Family::v4, Family::v6);
    sp_forward_hook hook = GENERATE(from_range(forward_hooks()));
    INFO(to_string(family) << ", hook " << hook);
    Bench bench{allow_in("in", "any", "any") + allow_out("out", "any", "any"), with(hook)};
    CHECK(bench.forward(away(family, tcp{.dport = 443})) == dropped(SP_REASON_NO_RULE));
    CHECK(bench.xdp(toward(family, tcp{.dport = 443})) == dropped(SP_REASON_NO_RULE));
    bench.set_control(0);
    CHECK(bench.forward(away(family, tcp{.dport = 443})) == dropped(SP_REASON_NO_POLICY));
}

TEST_CASE("a refused way through to outside of exfil.inside says so") {
    sp_forward_hook hook = GENERATE(from_range(forward_hooks()));
    Bench bench{kAway, with(hook)};
    Seen seen = bench.forward(eth{} / ipv4{.src = "10.9.0.2", .dst = "203.0.113.9"} / tcp{});
    REQUIRE(seen.events.size() == 1);
    CHECK((seen.events[0].flags & SP_EVENT_EXFIL) != 0);
    CHECK(seen.events[0].direction == SP_FORWARD);
    seen = bench.forward(eth{} / ipv4{.src = "10.9.0.2", .dst = "10.77.0.9"} / tcp{});
    REQUIRE(seen.events.size() == 1);
    CHECK((seen.events[0].flags & SP_EVENT_EXFIL) == 0);
    seen = bench.forward(eth{} / ipv4{.src = "10.9.0.2", .dst = "169.254.169.254"} / tcp{});
    CHECK(seen == dropped(SP_REASON_METADATA));
}

TEST_CASE("a box's opening makes a flow, by which the answers pass at the NIC") {
    Family family = GENERATE(Family::v4, Family::v6);
    sp_forward_hook hook = GENERATE(from_range(forward_hooks()));
    INFO(to_string(family) << ", hook " << hook);
    // By interface: at the NIC the rule alone would not tell that the peer answers.
    for (bool tcp_flow : {true, false}) {
        Bench bench{
            allow_through("web", kBoxes, kPeers, "tcp", "443") + "interfaces = [\"eth2\"]\n" +
                allow_through("dns", kBoxes, kPeers, "udp", "53") + "interfaces = [\"eth2\"]\n",
            with(hook)};
        Packet ask = tcp_flow ? Packet(tcp{.sport = 5000, .dport = 443})
                              : Packet(udp{.sport = 5000, .dport = 53});
        Packet answer = tcp_flow ? Packet(tcp{.sport = 443, .dport = 5000, .flags = SYN | ACK})
                                 : Packet(udp{.sport = 53, .dport = 5000});
        Packet other = tcp_flow ? Packet(tcp{.sport = 443, .dport = 5001, .flags = SYN | ACK})
                                : Packet(udp{.sport = 53, .dport = 5001});
        CHECK_FALSE(bench.xdp(toward(family, answer)).passed);
        CHECK(bench.forward(away(family, ask)) == passes());
        CHECK(bench.flow_entries() == 1);
        CHECK(bench.xdp(toward(family, answer)) == passes());
        CHECK_FALSE(bench.xdp(toward(family, other)).passed);
        CHECK(bench.flow_entries() == 1);
    }
}

TEST_CASE("a stranger's opening that a rule allows makes no flow, nor does the first answer") {
    if (!has_netfilter_programs()) SKIP("before 6.4 there are no netfilter programs");
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kToward, with(SP_FORWARD_NETFILTER)};
    Packet syn = toward(family, tcp{.sport = 5000, .dport = 80});
    CHECK(bench.xdp(syn) == passes());
    CHECK(bench.forward(syn, "eth0") == passes());
    for (std::uint8_t flags : U8s{std::uint8_t(SYN | ACK), std::uint8_t(RST | ACK)})
        CHECK(bench.forward(away(family, tcp{.sport = 80, .dport = 5000, .flags = flags})) ==
              passes());
    Packet ack = toward(family, tcp{.sport = 5000, .dport = 80, .flags = ACK});
    CHECK(bench.xdp(ack) == passes());
    CHECK(bench.forward(ack, "eth0") == passes());
    CHECK(bench.flow_entries() == 0);
    CHECK(bench.forward(away(family, tcp{.sport = 80, .dport = 5000, .flags = ACK})) == passes());
    CHECK(bench.flow_entries() == 1);
    CHECK(bench.forward(away(family, tcp{.sport = 81, .dport = 5000, .flags = ACK})) ==
          dropped(SP_REASON_NO_FLOW));
}

TEST_CASE("datagrams of strangers and the answers to them make no flow, forged or not") {
    if (!has_netfilter_programs()) SKIP("before 6.4 there are no netfilter programs");
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kAway + allow_through("in", kPeers, kBoxes, "udp", "53"),
                with(SP_FORWARD_NETFILTER)};
    for (std::uint16_t port = 5000; port < 5020; ++port) {
        CHECK(bench.forward(toward(family, udp{.sport = port, .dport = 53}), "eth0") == passes());
        CHECK(bench.forward(away(family, udp{.sport = 53, .dport = port})) == passes());
        // As if it answered a box that has asked.
        CHECK(bench.forward(toward(family, udp{.sport = 53, .dport = port}), "eth0") == passes());
        CHECK(bench.forward(toward(family, tcp{.sport = 443, .dport = port, .flags = ACK}),
                            "eth0") == passes());
    }
    CHECK(bench.flow_entries() == 0);
    CHECK(bench.forward(away(family, udp{.sport = 54, .dport = 5000})) ==
          dropped(SP_REASON_NO_RULE));
}

TEST_CASE("the first hook leaves the counting to the one behind it") {
    if (!has_netfilter_programs()) SKIP("before 6.4 there are no netfilter programs");
    Bench first{kToward, with(SP_FORWARD_NETFILTER)};
    CHECK(first.xdp(toward(Family::v4, tcp{.dport = 80})) == passes());
    CHECK(first.rule_count("web").admitted == 0);
    CHECK(first.forward(toward(Family::v4, tcp{.dport = 80}), "eth0") == passes());
    CHECK(first.rule_count("web").admitted == 1);
    Bench only{kToward, with(SP_FORWARD_TC_INGRESS)};
    CHECK(only.xdp(toward(Family::v4, tcp{.dport = 80})) == passes());
    CHECK(only.rule_count("web").admitted == 1);
}

TEST_CASE("a segment without a flow passes when either end may open, a box's makes it anew") {
    if (!has_netfilter_programs()) SKIP("before 6.4 there are no netfilter programs");
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kAway, with(SP_FORWARD_NETFILTER)};
    CHECK(bench.forward(away(family, tcp{.sport = 5000, .dport = 443, .flags = ACK})) == passes());
    CHECK(bench.flow_entries() == 1);
    CHECK(bench.xdp(toward(family, tcp{.sport = 443, .dport = 5001, .flags = ACK})) == passes());
    CHECK(bench.forward(toward(family, tcp{.sport = 443, .dport = 5001, .flags = ACK}), "eth0") ==
          passes());
    CHECK(bench.flow_entries() == 1); // not by a stranger's
    CHECK(bench.xdp(toward(family, tcp{.sport = 444, .dport = 5001, .flags = ACK})) ==
          dropped(SP_REASON_NO_FLOW));
    CHECK(bench.forward(away(family, tcp{.sport = 5000, .dport = 444, .flags = ACK})) ==
          dropped(SP_REASON_NO_FLOW));
}

TEST_CASE("a reload cuts what it no longer lets through, at the hook that knows both ends") {
    if (!has_netfilter_programs()) SKIP("before 6.4 there are no netfilter programs");
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kAway, with(SP_FORWARD_NETFILTER)};
    Packet answer = toward(family, tcp{.sport = 443, .dport = 5000, .flags = ACK});
    Packet segment = away(family, tcp{.sport = 5000, .dport = 443, .flags = ACK});
    CHECK(bench.forward(away(family, tcp{.sport = 5000, .dport = 443})) == passes());
    CHECK(bench.forward(answer, "eth0") == passes());
    bench.reload(kAway + allow_in("more", "any", "tcp", "1"));
    CHECK(bench.xdp(answer) == passes());
    CHECK(bench.forward(answer, "eth0") == passes());
    CHECK(bench.forward(segment) == passes());
    bench.reload(kToward);
    CHECK(bench.xdp(answer) == passes());
    CHECK(bench.forward(answer, "eth0") == dropped(SP_REASON_CUT));
    CHECK(bench.forward(segment) == dropped(SP_REASON_CUT));
    CHECK(bench.rule_count("web").admitted == 1);
}

TEST_CASE("without netfilter's hook a reload cuts the way out") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kAway, with(SP_FORWARD_TC_INGRESS)};
    Packet segment = away(family, tcp{.sport = 5000, .dport = 443, .flags = ACK});
    CHECK(bench.forward(away(family, tcp{.sport = 5000, .dport = 443})) == passes());
    bench.reload(kToward);
    CHECK(bench.xdp(toward(family, tcp{.sport = 443, .dport = 5000, .flags = ACK})) == passes());
    CHECK(bench.forward(segment) == dropped(SP_REASON_CUT));
}

TEST_CASE("an ICMP error passes when what it quotes is routed, and goes to its sender") {
    Family family = GENERATE(Family::v4, Family::v6);
    sp_forward_hook hook = GENERATE(from_range(forward_hooks()));
    INFO(to_string(family) << ", hook " << hook);
    Bench bench{kAway, with(hook)};
    auto sent = [&](std::uint16_t sport, std::uint16_t dport) {
        return ip(family, box_of(family), peer_of(family)) / tcp{.sport = sport, .dport = dport};
    };
    CHECK(bench.forward(away(family, tcp{.sport = 5000, .dport = 443})) == passes());
    CHECK(bench.xdp(toward(family, too_big(family, sent(5000, 443)))) == passes());
    // Of no flow that is known, but of one that there may be.
    CHECK(bench.xdp(toward(family, too_big(family, sent(5001, 443)))) == passes());
    CHECK(bench.xdp(toward(family, too_big(family, sent(5000, 444)))) ==
          dropped(SP_REASON_ICMP_UNRELATED));
    Packet answered =
        ip(family, peer_of(family), box_of(family)) / tcp{.sport = 443, .dport = 5000};
    CHECK(bench.forward(away(family, too_big(family, answered))) == passes());
    Packet elsewhere =
        eth{} / ip(family, peer_of(family), family == Family::v4 ? "10.9.0.3" : "fd00:9::3");
    CHECK(bench.xdp(elsewhere / too_big(family, sent(5000, 443))) ==
          dropped(SP_REASON_ICMP_UNRELATED));
    bench.reload(kAway + essentials("icmp-errors = false"));
    CHECK(bench.xdp(toward(family, too_big(family, sent(5000, 443)))) ==
          dropped(SP_REASON_ICMP_UNRELATED));
}

TEST_CASE("a full table refuses new flows of a box, and cuts nothing that runs") {
    Family family = GENERATE(Family::v4, Family::v6);
    sp_forward_hook hook = GENERATE(from_range(forward_hooks()));
    INFO(to_string(family) << ", hook " << hook);
    Bench bench{kAway, {.flow_sets = 8, .flow_max = 1, .forward_hook = hook}};
    CHECK(bench.forward(away(family, udp{.sport = 5000, .dport = 53})) == passes());
    CHECK(bench.forward(away(family, udp{.sport = 5001, .dport = 53})) ==
          dropped(SP_REASON_FLOW_FULL));
    CHECK(bench.forward(away(family, tcp{.sport = 5001, .dport = 443})) ==
          dropped(SP_REASON_FLOW_FULL));
    CHECK(bench.forward(away(family, udp{.sport = 5000, .dport = 53})) == passes());
}

TEST_CASE("headers that no policy makes legitimate are not routed either") {
    sp_forward_hook hook = GENERATE(from_range(forward_hooks()));
    Bench bench{allow_through("all", "any", "any", "any"), with(hook)};
    CHECK(bench.forward(eth{} / ipv4{.src = "10.9.0.2", .dst = kPeer4, .mf = true} / udp{}) ==
          dropped(SP_REASON_FRAGMENT));
    CHECK(bench.forward(eth{} / ipv4{.src = "127.0.0.1", .dst = kPeer4} / udp{}) ==
          dropped(SP_REASON_BOGON));
    for (Family family : {Family::v4, Family::v6})
        CHECK(bench.forward(eth{} / ip(family, host_of(family), peer_of(family)) / udp{}) ==
              dropped(SP_REASON_BOGON));
    CHECK(bench.forward(eth{} / ipv4{.src = "10.9.0.2", .dst = kPeer4} / udp{}) == passes());
}

TEST_CASE("neighbour discovery and MLD are not routed, whatever a rule names") {
    sp_forward_hook hook = GENERATE(from_range(forward_hooks()));
    INFO("hook " << hook);
    Bench bench{"[[forward]]\nname = \"all\"\nfrom = \"any\"\nto = \"any\"\nproto = 58\n"
                "types = [128, 131, 133, 134, 135, 136, 143, 150]\n",
                with(hook)};
    for (std::uint8_t type : U8s{128, 150})
        CHECK(bench.forward(away(Family::v6, Packet(icmp6{.type = type}) / filler(16))) ==
              passes());
    for (std::uint8_t type : U8s{131, 133, 134, 135, 136, 143})
        for (std::uint8_t hops : U8s{64, 255}) {
            Packet head =
                eth{} /
                ipv6{.src = box_of(Family::v6), .dst = peer_of(Family::v6), .hop_limit = hops};
            CHECK(bench.forward(head / icmp6{.type = type} / filler(16)) ==
                  dropped(SP_REASON_NEIGHBOUR));
        }
}

TEST_CASE("where TC judges, what is for the host or not for this station is left alone") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kAway, with(SP_FORWARD_TC_INGRESS)};
    CHECK(bench.forward(eth{} / ip(family, box_of(family), host_of(family)) / tcp{}) == passes());
    CHECK(bench.forward(eth{} / arp{}) == passes());
    CHECK(bench.forward(eth{.dst = kOtherMac} / ip(family, box_of(family), peer_of(family)) /
                        tcp{.dport = 444}) == passes());
    CHECK(bench.forward(away(family, tcp{.dport = 444})) == dropped(SP_REASON_NO_RULE));
}

TEST_CASE("where TC judges, what the stack would route to no usual address is not left alone") {
    Bench bench{kAway + allow_through("far", kBoxes, "169.254.7.0/24", "udp", "53"),
                with(SP_FORWARD_TC_INGRESS)};
    const auto to = [&](const char* dst) {
        return bench.forward(eth{} / ipv4{.src = "10.9.0.2", .dst = dst} / udp{.dport = 53});
    };
    CHECK(to("169.254.7.7") == passes());
    CHECK(to("169.254.8.8") == dropped(SP_REASON_NO_RULE));
    CHECK(to("169.254.169.254") == dropped(SP_REASON_METADATA));
    CHECK(to("0.1.2.3") == dropped(SP_REASON_BOGON));
    CHECK(to("0.0.0.0") == passes());
    CHECK(to("127.0.0.9") == passes());
    CHECK(bench.forward(eth{} / ip(Family::v6, "fd00:9::2", "::") / udp{}) ==
          dropped(SP_REASON_BOGON));
    CHECK(bench.forward(eth{} / ip(Family::v6, "fd00:9::2", "fe80::9") / udp{}) == passes());
}

TEST_CASE("where TC judges, no number of VLAN tags takes a packet past it") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kAway, with(SP_FORWARD_TC_INGRESS)};
    const Packet refused = ip(family, box_of(family), peer_of(family)) / tcp{.dport = 444};
    CHECK(bench.forward(eth{} / vlan{} / refused) == dropped(SP_REASON_NO_RULE));
    CHECK(bench.forward(eth{} / vlan{} / vlan{} / refused) == dropped(SP_REASON_NO_RULE));
    CHECK(bench.forward(eth{} / vlan{} / vlan{} / vlan{} / refused) ==
          dropped(SP_REASON_VLAN_DEPTH));
    CHECK(bench.forward(eth{} / vlan{} / vlan{} / ip(family, box_of(family), peer_of(family)) /
                        tcp{.dport = 443}) == passes());
}

TEST_CASE("observing drops nothing that is routed and tells what it would drop") {
    sp_forward_hook hook = GENERATE(from_range(forward_hooks()));
    Bench bench{kAway, {.host = "mode = \"observe\"", .forward_hook = hook}};
    CHECK(bench.forward(away(Family::v4, tcp{.dport = 444})) ==
          would_be_dropped(SP_REASON_NO_RULE));
    CHECK(bench.forward(away(Family::v4, tcp{.dport = 443})) == passes());
}

TEST_CASE("asking about what is routed leaves no trace") {
    sp_forward_hook hook = GENERATE(from_range(forward_hooks()));
    Bench bench{kAway, {.role = Role::asking, .forward_hook = hook}};
    CHECK(bench.forward(away(Family::v4, tcp{.dport = 443})).passed);
    CHECK_FALSE(bench.forward(away(Family::v4, tcp{.dport = 444})).passed);
    CHECK(bench.flow_entries() == 0);
}

TEST_CASE("what is routed passes by no flow that is the host's own or was asked of it") {
    Family family = GENERATE(Family::v4, Family::v6);
    sp_forward_hook hook = GENERATE(from_range(forward_hooks()));
    INFO(to_string(family) << ", hook " << hook);
    Packet segment = away(family, tcp{.sport = 5000, .dport = 443, .flags = ACK});
    for (sp_direction direction : {SP_EGRESS, SP_INGRESS, SP_FORWARD}) {
        INFO("direction " << direction);
        Bench bench{kAway, with(hook)};
        REQUIRE(bench.forward(away(family, tcp{.sport = 5000, .dport = 443})) == passes());
        REQUIRE(bench.flow_entries() == 1);
        sp_flow flow = read_flows(bench.instance())[0];
        flow.direction = direction;
        flow.generation = SP_GENERATION_KEPT;
        // A policy that would let nobody open it.
        Bench none{allow_in("in", "any", "any"), with(hook)};
        REQUIRE(seed_flow(none.instance(), flow));
        CHECK(none.forward(segment) ==
              (direction == SP_FORWARD ? passes() : dropped(SP_REASON_NO_FLOW)));
    }
}

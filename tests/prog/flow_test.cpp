// SPDX-License-Identifier: Apache-2.0
// What makes a reply a reply: state is born of what the host sends, never of
// what a stranger does, and belongs to the policy that let it in.
#include "support/bench.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace sallyport::test;

namespace {

const std::string kWeb = allow_out("web", "any", "tcp", "443");
const std::string kDns = allow_out("dns", "any", "udp", "53");

Packet out_tcp(Family family, std::uint8_t flags, std::uint16_t sport = 50000) {
    return from_host(family) / tcp{.sport = sport, .dport = 443, .flags = flags};
}

Packet in_tcp(Family family, std::uint8_t flags, std::uint16_t dport = 50000) {
    return to_host(family) / tcp{.sport = 443, .dport = dport, .flags = flags};
}

} // namespace

TEST_CASE("a stranger's SYN makes no state, admitted or not") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_in("ssh", "any", "tcp", "22")};
    for (std::uint16_t port : U16s{22, 23}) {
        for (std::uint16_t from = 1000; from < 1100; ++from) {
            static_cast<void>(bench.xdp(to_host(family) / tcp{.sport = from, .dport = port}));
        }
    }
    CHECK(bench.flow_entries() == 0);
}

TEST_CASE("a stranger's datagrams, segments and pings make no state either") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_in("all", "any", "any")};
    CHECK(bench.xdp(to_host(family) / udp{}) == passes());
    CHECK(bench.xdp(to_host(family) / sctp{}) == passes());
    CHECK(bench.xdp(to_host(family) / tcp{.flags = ACK}) == dropped(SP_REASON_NO_FLOW));
    CHECK(bench.xdp(to_host(family) / tcp{.flags = SYN | ACK}) == dropped(SP_REASON_NO_FLOW));
    CHECK(bench.flow_entries() == 0);
}

TEST_CASE("an outbound SYN makes a flow, and its answers pass until the last") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kWeb};
    CHECK(bench.xdp(in_tcp(family, SYN | ACK)) == dropped(SP_REASON_NO_FLOW));
    CHECK(bench.tc(out_tcp(family, SYN)) == passes());
    CHECK(bench.flow_entries() == 1);
    for (std::uint8_t flags : U8s{std::uint8_t(SYN | ACK), ACK, std::uint8_t(PSH | ACK),
                                  std::uint8_t(FIN | ACK), ACK, RST}) {
        Seen seen = bench.xdp(in_tcp(family, flags));
        CHECK(seen == passes());
        CHECK(seen.rule == "web"); // its bytes are the rule's, both ways
    }
    CHECK(bench.flow_entries() == 1);
    CHECK(bench.rule_count("web").admitted == 1);
}

TEST_CASE("only the exact tuple is a reply") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kWeb};
    CHECK(bench.tc(out_tcp(family, SYN)) == passes());
    CHECK(bench.xdp(in_tcp(family, ACK, 50001)) == dropped(SP_REASON_NO_FLOW));
    CHECK(bench.xdp(to_host(family) / tcp{.sport = 444, .dport = 50000, .flags = ACK}) ==
          dropped(SP_REASON_NO_FLOW));
    CHECK(bench.xdp(to_host(family) / udp{.sport = 443, .dport = 50000}) ==
          dropped(SP_REASON_NO_RULE));
    std::string stranger = family == Family::v4 ? "198.51.100.8" : "2001:db8:1::8";
    CHECK(bench.xdp(eth{} / ip(family, stranger, host_of(family)) /
                    tcp{.sport = 443, .dport = 50000, .flags = ACK}) == dropped(SP_REASON_NO_FLOW));
    CHECK(bench.xdp(in_tcp(family, ACK)) == passes());
}

TEST_CASE("a bare SYN from the peer of a flow is no reply: it asks to open") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kWeb};
    CHECK(bench.tc(out_tcp(family, SYN)) == passes());
    CHECK(bench.xdp(in_tcp(family, SYN)) == dropped(SP_REASON_NO_RULE));
    CHECK(bench.xdp(in_tcp(family, SYN | ACK)) == passes());
}

TEST_CASE("a refused SYN makes no flow") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kDns};
    CHECK(bench.tc(out_tcp(family, SYN)) == dropped(SP_REASON_NO_RULE));
    CHECK(bench.flow_entries() == 0);
    CHECK(bench.xdp(in_tcp(family, SYN | ACK)) == dropped(SP_REASON_NO_FLOW));
}

TEST_CASE("the cgroup hook keeps no flow: the NIC's does, one hook later") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kWeb};
    CHECK(bench.cgroup(out_tcp(family, SYN)) == passes());
    CHECK(bench.flow_entries() == 0);
}

TEST_CASE("a UDP query's answer passes, and a datagram of another port does not") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kDns};
    auto answer = [&](std::uint16_t sport, std::uint16_t dport) {
        return bench.xdp(to_host(family) / udp{.sport = sport, .dport = dport} / text("answer"));
    };
    CHECK(answer(53, 50000) == dropped(SP_REASON_NO_RULE));
    CHECK(bench.tc(from_host(family) / udp{.sport = 50000, .dport = 53}) == passes());
    CHECK(answer(53, 50000) == passes());
    CHECK(answer(53, 50001) == dropped(SP_REASON_NO_RULE)); // "source port 53" alone is no answer
    CHECK(answer(54, 50000) == dropped(SP_REASON_NO_RULE));
}

TEST_CASE("the host's SYN-ACK makes an inbound flow, and the client's segments pass by it") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_in("ssh", "any", "tcp", "22")};
    Packet ack = to_host(family) / tcp{.dport = 22, .flags = ACK};
    CHECK(bench.xdp(to_host(family) / tcp{.dport = 22}) == passes());
    CHECK(bench.xdp(ack) == dropped(SP_REASON_NO_FLOW));
    CHECK(bench.tc(from_host(family) /
                   tcp{.sport = 22, .dport = kClientPort, .flags = SYN | ACK}) == passes());
    CHECK(bench.flow_entries() == 1);
    CHECK(bench.xdp(ack) == passes());
    CHECK(bench.tc(from_host(family) / tcp{.sport = 22, .dport = kClientPort, .flags = PSH | ACK} /
                   text("hello")) == passes());
    CHECK(bench.rule_count("ssh").admitted == 1);
}

TEST_CASE("after a reload a flow goes on where the new policy would have let it open") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kWeb};
    CHECK(bench.tc(out_tcp(family, SYN)) == passes());
    CHECK(bench.xdp(in_tcp(family, SYN | ACK)) == passes());
    bench.reload(allow_out("all tcp", "any", "tcp"));
    Seen seen = bench.xdp(in_tcp(family, ACK));
    CHECK(seen == passes());
    CHECK(seen.rule == "all tcp");
    CHECK(bench.xdp(in_tcp(family, ACK)).rule == "all tcp");
}

TEST_CASE("after a reload a flow is cut where the new policy would not have let it open") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kWeb + kDns};
    CHECK(bench.tc(out_tcp(family, SYN)) == passes());
    CHECK(bench.xdp(in_tcp(family, SYN | ACK)) == passes());
    CHECK(bench.tc(from_host(family) / udp{.sport = 50000, .dport = 53}) == passes());
    bench.reload(kDns);
    CHECK(bench.xdp(in_tcp(family, ACK)) == dropped(SP_REASON_CUT));
    CHECK(bench.tc(out_tcp(family, ACK)) == dropped(SP_REASON_CUT));
    CHECK(bench.xdp(to_host(family) / udp{.sport = 53, .dport = 50000}) == passes());
    // And back: what was cut but not ended is judged anew again.
    bench.reload(kWeb);
    CHECK(bench.xdp(in_tcp(family, ACK)) == passes());
}

TEST_CASE("a flow does not survive a table that is emptied, without a socket") {
    Bench bench{kWeb};
    CHECK(bench.tc(out_tcp(Family::v4, SYN)) == passes());
    CHECK(bench.xdp(in_tcp(Family::v4, ACK)) == passes());
    Bench fresh{kWeb};
    CHECK(fresh.xdp(in_tcp(Family::v4, ACK)) == dropped(SP_REASON_NO_FLOW));
}

// SPDX-License-Identifier: Apache-2.0
// What the kernel knows of a connection that the flow table does not: segments
// of real sockets, whose entries were lost or never made. Both ends live on
// this namespace's loopback; the wire is the bench.
#include "support/bench.h"
#include "support/icmp_message.h"
#include "support/sockets.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace sallyport::test;

TEST_CASE(
    "a segment of a running inbound connection readmits it where the policy would let it open") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench allowed{allow_in("service", "any", "tcp", "7001")};
    both_ends_here();
    Socket service = listener(host_of(family), 7001);
    Socket client = connection(peer_of(family), 40001, host_of(family), 7001);
    Packet ack = to_host(family) / tcp{.sport = 40001, .dport = 7001, .flags = ACK};
    Seen seen = allowed.xdp(ack);
    CHECK(seen == passes());
    CHECK(seen.rule == "service");
    CHECK(allowed.flow_entries() == 1);
    CHECK(allowed.rule_count("service").admitted == 0); // it opened before

    Bench refused{allow_in("other", "any", "tcp", "7002") + allow_out("all", "any", "any")};
    CHECK(refused.xdp(ack) == dropped(SP_REASON_CUT));
    CHECK(refused.flow_entries() == 0);
    CHECK(refused.xdp(to_host(family) / tcp{.sport = 40002, .dport = 7001, .flags = PSH | ACK})
              .passed == false);
}

TEST_CASE("a segment of a running outbound connection is judged by the egress rules") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench allowed{allow_out("service", "any", "tcp", "7003")};
    both_ends_here();
    Socket service = listener(peer_of(family), 7003);
    Socket client = connection(host_of(family), 40003, peer_of(family), 7003);
    Packet ack = to_host(family) / tcp{.sport = 7003, .dport = 40003, .flags = ACK};
    Seen seen = allowed.xdp(ack);
    CHECK(seen == passes());
    CHECK(seen.rule == "service");
    Bench refused{allow_in("all", "any", "any")};
    CHECK(refused.xdp(ack) == dropped(SP_REASON_CUT));
}

TEST_CASE("an ACK that finds only a listener is judged like a SYN, and leaves no state") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_in("service", "any", "tcp", "7004")};
    both_ends_here();
    Socket service = listener(host_of(family), 7004);
    Socket private_service = listener(host_of(family), 7005);
    auto segment = [&](std::uint16_t port, std::uint8_t flags) {
        return bench.xdp(to_host(family) / tcp{.sport = 40004, .dport = port, .flags = flags});
    };
    CHECK(segment(7004, ACK) == passes());
    CHECK(segment(7005, ACK) == dropped(SP_REASON_NO_RULE));
    for (std::uint8_t flags : U8s{SYN | ACK, FIN | ACK, RST, RST | ACK}) {
        CHECK(segment(7004, flags) == dropped(SP_REASON_NO_FLOW));
    }
    CHECK(segment(7006, ACK) == dropped(SP_REASON_NO_FLOW)); // nobody listens
    CHECK(bench.flow_entries() == 0);
}

TEST_CASE("an ICMP error that quotes a running connection passes without a flow entry") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_out("service", "any", "tcp", "7007")};
    both_ends_here();
    Socket service = listener(peer_of(family), 7007);
    Socket client = connection(host_of(family), 40007, peer_of(family), 7007);
    auto error = [&](std::uint16_t sport) {
        Packet quoted = ip(family, host_of(family), peer_of(family)) /
                        tcp{.sport = sport, .dport = 7007, .flags = ACK};
        return bench.xdp(to_host(family) / too_big(family, quoted));
    };
    CHECK(error(40007) == passes());
    CHECK(error(40008) == dropped(SP_REASON_ICMP_UNRELATED));
}

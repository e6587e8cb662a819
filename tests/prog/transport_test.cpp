// SPDX-License-Identifier: Apache-2.0
// TCP's flags and header length, UDP's and UDP-Lite's lengths, SCTP.
#include "support/bench.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace sallyport::test;

TEST_CASE("of the 64 combinations of TCP flags only those that open or carry something are judged "
          "further") {
    Bench bench{allow_in("ssh", "any", "tcp", "22")};
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    for (unsigned flags = 0; flags < 64; ++flags) {
        INFO("flags " << flags);
        Seen seen = bench.xdp(to_host(family) / tcp{.flags = static_cast<std::uint8_t>(flags)});
        bool syn = flags & SYN, ack = flags & ACK, rst = flags & RST, fin = flags & FIN;
        if (syn ? (fin || rst) : !(ack || rst)) {
            CHECK(seen == dropped(SP_REASON_TCP_FLAGS));
        } else if (syn && !ack) {
            CHECK(seen == passes());
        } else {
            CHECK(seen == dropped(SP_REASON_NO_FLOW));
        }
    }
}

TEST_CASE("ECN, urgent data, reserved bits and payload on a SYN are left alone") {
    Bench bench{allow_in("ssh", "any", "tcp", "22")};
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Packet head = to_host(family);
    CHECK(bench.xdp(head / tcp{.flags = SYN | ECE | CWR}) == passes());
    CHECK(bench.xdp(head / tcp{.flags = SYN | PSH | URG, .urgent = 1}) == passes());
    CHECK(bench.xdp(head / tcp{.flags = SYN, .reserved = 15}) == passes());
    CHECK(bench.xdp(head / tcp{.flags = SYN, .options = {34, 2, 0, 0}} / text("early data")) ==
          passes());
}

TEST_CASE("a TCP header shorter than five words is malformed, one past the packet truncated") {
    Bench bench{allow_in("ssh", "any", "tcp", "22")};
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    for (std::uint8_t words = 0; words < 5; ++words) {
        CHECK(bench.xdp(to_host(family) / tcp{.offset = words}) == dropped(SP_REASON_MALFORMED));
    }
    CHECK(bench.xdp(to_host(family) / tcp{.offset = std::uint8_t{5}}) == passes());
    CHECK(bench.xdp(to_host(family) / tcp{.offset = std::uint8_t{6}}) ==
          dropped(SP_REASON_TRUNCATED));
    CHECK(bench.xdp(to_host(family) / tcp{.options = Bytes(40, 1)}) == passes());
}

TEST_CASE("a UDP length below its header or above the packet is malformed") {
    Bench bench{allow_in("dns", "any", "udp", "53")};
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    auto query = [&](std::uint16_t length) {
        return bench.xdp(to_host(family) / udp{.length = length} / text("query"));
    };
    CHECK(query(0) == dropped(SP_REASON_MALFORMED));
    CHECK(query(7) == dropped(SP_REASON_MALFORMED));
    CHECK(query(8) == passes());
    CHECK(query(13) == passes());
    CHECK(query(14) == dropped(SP_REASON_MALFORMED));
    CHECK(query(65535) == dropped(SP_REASON_MALFORMED));
}

TEST_CASE("UDP-Lite's coverage may be nothing, which means all, and no more than there is") {
    Bench bench{allow_in("lite", "any", "136")};
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    auto query = [&](std::uint16_t coverage) {
        return bench.xdp(to_host(family) / udplite{.coverage = coverage} / text("query"));
    };
    CHECK(query(0) == passes());
    CHECK(query(7) == dropped(SP_REASON_MALFORMED));
    CHECK(query(8) == passes());
    CHECK(query(13) == passes());
    CHECK(query(14) == dropped(SP_REASON_MALFORMED));
}

TEST_CASE("SCTP is judged by its own ports, not those of TCP or UDP") {
    Bench bench{allow_in("s1ap", "any", "sctp", "36412")};
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    CHECK(bench.xdp(to_host(family) / sctp{.dport = 36412}) == passes());
    CHECK(bench.xdp(to_host(family) / sctp{.dport = 36411}) == dropped(SP_REASON_NO_RULE));
    CHECK(bench.xdp(to_host(family) / sctp{.sport = 36412, .dport = 1}) ==
          dropped(SP_REASON_NO_RULE));
    CHECK(bench.xdp(to_host(family) / tcp{.dport = 36412}) == dropped(SP_REASON_NO_RULE));
    CHECK(bench.xdp(to_host(family) / udp{.dport = 36412}) == dropped(SP_REASON_NO_RULE));
}

TEST_CASE("a wrong checksum is the stack's to refuse: it neither opens nor closes a door") {
    Bench bench{allow_in("ssh", "any", "tcp", "22")};
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    CHECK(bench.xdp(to_host(family) / tcp{.dport = 22, .checksum = std::uint16_t{0xdead}}) ==
          passes());
    CHECK(bench.xdp(to_host(family) / tcp{.dport = 23, .checksum = std::uint16_t{0xdead}}) ==
          dropped(SP_REASON_NO_RULE));
}

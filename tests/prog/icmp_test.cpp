// SPDX-License-Identifier: Apache-2.0
// ICMP and ICMPv6 but neighbour discovery: who may ping, errors that quote a
// flow and errors that do not, types by rule.
#include "support/bench.h"
#include "support/icmp_message.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace sallyport::test;

namespace {

const std::string kWeb =
    allow_out("web", "any", "tcp", "443") + allow_out("dns", "any", "udp", "53");

// What the host sent to the peer.
Packet sent(Family family, const Packet& transport) {
    return ip(family, host_of(family), peer_of(family)) / transport;
}

} // namespace

TEST_CASE("anybody may ping by default, nobody when told so, a zone when named") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Packet ping = to_host(family) / echo_request(family);
    CHECK(Bench{kWeb}.xdp(ping) == passes());
    CHECK(Bench{kWeb + essentials("ping = \"none\"")}.xdp(ping) == dropped(SP_REASON_NO_RULE));
    Bench zone{kWeb + "[zones]\nadmin = [\"198.51.100.0/24\", \"2001:db8:1::/64\"]\n" +
               essentials("ping = \"admin\"")};
    CHECK(zone.xdp(ping) == passes());
    std::string stranger = family == Family::v4 ? "198.51.101.7" : "2001:db8:1:1::7";
    CHECK(zone.xdp(eth{} / ip(family, stranger, host_of(family)) / echo_request(family)) ==
          dropped(SP_REASON_NO_RULE));
}

TEST_CASE("a rule for icmp is echo request only, of the family's own protocol") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_in("ping", "any", "icmp") + essentials("ping = \"none\"")};
    Seen seen = bench.xdp(to_host(family) / echo_request(family));
    CHECK(seen == passes());
    CHECK(seen.rule == "ping");
    Packet timestamp = family == Family::v4 ? Packet(icmp{.type = 13}) / filler(12)
                                            : icmp6{.type = 139} / filler(12);
    CHECK(bench.xdp(to_host(family) / timestamp) == dropped(SP_REASON_NO_RULE));
    // The other family's ICMP is nobody's.
    Packet wrong = family == Family::v4 ? Packet(icmp6{.type = 128}) : Packet(icmp{.type = 8});
    CHECK(bench.xdp(to_host(family) / wrong) == dropped(SP_REASON_MALFORMED));
}

TEST_CASE("an echo reply passes only as the answer to a ping of this host, by its id") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_out("ping", "any", "icmp")};
    CHECK_FALSE(bench.xdp(to_host(family) / echo_reply(family, 500)).passed);
    CHECK(bench.tc(from_host(family) / echo_request(family, 500)) == passes());
    CHECK(bench.xdp(to_host(family) / echo_reply(family, 500)) == passes());
    CHECK(bench.xdp(to_host(family) / echo_reply(family, 501)) == dropped(SP_REASON_NO_RULE));
}

TEST_CASE("an ICMP error passes when it quotes a flow of this host") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kWeb};
    Packet syn = tcp{.sport = 50000, .dport = 443};
    Packet query = udp{.sport = 50001, .dport = 53};
    for (const Packet& transport : {syn, query}) {
        CHECK(bench.xdp(to_host(family) / too_big(family, sent(family, transport))) ==
              dropped(SP_REASON_ICMP_UNRELATED));
        CHECK(bench.tc(from_host(family) / transport) == passes());
        CHECK(bench.xdp(to_host(family) / too_big(family, sent(family, transport))) == passes());
        CHECK(bench.xdp(to_host(family) / unreachable(family, sent(family, transport))) ==
              passes());
        // From a router on the way, not from the peer.
        std::string router = family == Family::v4 ? "203.0.113.1" : "2001:db8:ffff::1";
        CHECK(bench.xdp(eth{} / ip(family, router, host_of(family)) /
                        too_big(family, sent(family, transport))) == passes());
    }
}

TEST_CASE("an ICMP error that quotes another flow, a reversed one or too little is dropped") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kWeb};
    Packet syn = tcp{.sport = 50000, .dport = 443};
    CHECK(bench.tc(from_host(family) / syn) == passes());
    Packet head = to_host(family);
    CHECK(bench.xdp(head / too_big(family, sent(family, tcp{.sport = 50001, .dport = 443}))) ==
          dropped(SP_REASON_ICMP_UNRELATED));
    CHECK(bench.xdp(head / too_big(family, sent(family, tcp{.sport = 50000, .dport = 444}))) ==
          dropped(SP_REASON_ICMP_UNRELATED));
    CHECK(bench.xdp(head / too_big(family, sent(family, udp{.sport = 50000, .dport = 443}))) ==
          dropped(SP_REASON_ICMP_UNRELATED));
    CHECK(bench.xdp(head / too_big(family, ip(family) / tcp{.sport = 443, .dport = 50000})) ==
          dropped(SP_REASON_ICMP_UNRELATED));
    Packet nothing =
        family == Family::v4 ? Packet(icmp{.type = 3, .code = 4}) : Packet(icmp6{.type = 2});
    CHECK(bench.xdp(head / nothing) == dropped(SP_REASON_ICMP_UNRELATED));
    CHECK(bench.xdp(head / too_big(family, sent(family, syn))) == passes());
}

TEST_CASE("with icmp-errors off even a related error is dropped") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kWeb + essentials("icmp-errors = false")};
    Packet syn = tcp{.sport = 50000, .dport = 443};
    CHECK(bench.tc(from_host(family) / syn) == passes());
    CHECK(bench.xdp(to_host(family) / too_big(family, sent(family, syn))) ==
          dropped(SP_REASON_ICMP_UNRELATED));
}

TEST_CASE("an unrelated error is dropped however open the policy: no rule speaks of errors it did "
          "not name") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_in("all", "any", "any")};
    CHECK(bench.xdp(to_host(family) / unreachable(family, sent(family, udp{}))) ==
          dropped(SP_REASON_ICMP_UNRELATED));
}

// SPDX-License-Identifier: Apache-2.0
// max-connections at the SYN: whose number is reached, whom the table has no room for, and
// what could not be counted. What a handshake's end does is in tests/e2e/connections_test.py.
#include "support/bench.h"
#include "support/peer_table.h"
#include "support/sockets.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace sallyport;
using namespace sallyport::test;

namespace {

constexpr std::uint16_t kPort = 7301;

std::string counted(const std::string& lines = "") {
    return allow_in("api", "any", "tcp", std::to_string(kPort)) + "max-connections = 2\n" + lines;
}

Packet syn(const std::string& src, std::uint16_t port = kPort) {
    Family family = src.find(':') == std::string::npos ? Family::v4 : Family::v6;
    return eth{} / ip(family, src, host_of(family)) / tcp{.dport = port};
}

// The source of kPeer4 or kPeer6 under the bench's only rule.
sp_bucket_key source(const Bench& bench, Family family) {
    sp_bucket_key key{};
    const Address peer = *parse_address(peer_of(family));
    const unsigned kept = family == Family::v4 ? 16 : 8; // bytes: /32 and /64
    for (unsigned i = 0; i < kept; ++i) key.addr.bytes[i] = peer.bytes[i];
    key.owner = bench.image().rules.at(0).counter;
    key.src_port = family == Family::v4 ? 128 : 64;
    return key;
}

} // namespace

TEST_CASE("a SYN of a source that has its number is refused, and that of another is not") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{counted()};
    both_ends_here();
    Socket service = listener(host_of(family), kPort);
    set_open(bench.instance(), source(bench, family), 1);
    CHECK(bench.xdp(syn(peer_of(family))) == passes());
    set_open(bench.instance(), source(bench, family), 2);
    CHECK(bench.xdp(syn(peer_of(family))) == dropped(SP_REASON_TOO_MANY_CONNECTIONS));
    CHECK(bench.rule_count("api").limited == 1);
    CHECK(bench.rule_count("api").admitted == 1);
    const char* other = family == Family::v4 ? "10.0.0.99" : "fd00:99::1";
    CHECK(bench.xdp(syn(other)) == passes());
    bench.reload(counted("limit-prefix4 = 24\nlimit-prefix6 = 48\n")); // other sources then
    CHECK(bench.xdp(syn(peer_of(family))) == passes());
    forget_peers(bench.instance());
}

TEST_CASE("SYNs take no place, however many, nor does who only asks") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    for (const Role role : {Role::live, Role::asking}) {
        Bench bench{counted(), BenchOptions{.role = role}};
        both_ends_here();
        Socket service = listener(host_of(family), kPort);
        forget_peers(bench.instance());
        for (int i = 0; i < 5; ++i) CHECK(bench.xdp(syn(peer_of(family))).passed);
        CHECK(read_peers(bench.instance()).empty());
    }
}

TEST_CASE("what only asks is told of a number that is reached") {
    Bench bench{counted(), BenchOptions{.role = Role::asking}};
    both_ends_here();
    Socket service = listener(host_of(Family::v4), kPort);
    set_open(bench.instance(), source(bench, Family::v4), 2);
    CHECK_FALSE(bench.xdp(syn(kPeer4)).passed);
    set_open(bench.instance(), source(bench, Family::v4), 1);
    CHECK(bench.xdp(syn(kPeer4)).passed);
    forget_peers(bench.instance());
}

TEST_CASE("a full table refuses who is not in it") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{counted()};
    both_ends_here();
    Socket service = listener(host_of(family), kPort);
    fill_peers(bench.instance());
    CHECK(bench.xdp(syn(peer_of(family))) == dropped(SP_REASON_TOO_MANY_CONNECTIONS));
    forget_peers(bench.instance());
    CHECK(bench.xdp(syn(peer_of(family))) == passes());
}

TEST_CASE("a rule that counts lets nothing in that no socket here would answer") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{counted() + allow_in("free", "any", "tcp", "7302")};
    both_ends_here();
    forget_peers(bench.instance());
    CHECK(bench.xdp(syn(peer_of(family))) == dropped(SP_REASON_NOT_COUNTED));
    CHECK(bench.xdp(syn(peer_of(family), 7302)) == passes());
    Socket service = listener(host_of(family), kPort);
    CHECK(bench.xdp(syn(peer_of(family))) == passes());
}

TEST_CASE("in observe mode too many are told and let in") {
    Bench bench{counted(), BenchOptions{.host = "mode = \"observe\"\n"}};
    both_ends_here();
    Socket service = listener(host_of(Family::v4), kPort);
    set_open(bench.instance(), source(bench, Family::v4), 2);
    CHECK(bench.xdp(syn(kPeer4)) == would_be_dropped(SP_REASON_TOO_MANY_CONNECTIONS));
    forget_peers(bench.instance());
}

TEST_CASE("what runs is not touched by a number that is reached") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{counted()};
    both_ends_here();
    Socket service = listener(host_of(family), kPort);
    Socket client = connection(peer_of(family), 40301, host_of(family), kPort);
    set_open(bench.instance(), source(bench, family), 9);
    CHECK(bench.xdp(syn(peer_of(family))) == dropped(SP_REASON_TOO_MANY_CONNECTIONS));
    for (int i = 0; i < 2; ++i) // by its socket, then by its flow
        CHECK(bench.xdp(to_host(family) / tcp{.sport = 40301, .dport = kPort, .flags = ACK}) ==
              passes());
    forget_peers(bench.instance());
}

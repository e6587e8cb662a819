// SPDX-License-Identifier: Apache-2.0
// What the kernel cuts up on its way out, at the NIC. Packets of a process's
// socket that cgroup_skb judged whole are tested end to end: they need a socket.
#include "support/bench.h"
#include "support/fragment_table.h"
#include "support/icmp_message.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace sallyport::test;

namespace {

const std::string kTrack = essentials("fragments = \"track\"");

// The datagram as the host sends it.
Packet nth(Datagram cut, std::size_t index) {
    constexpr std::size_t kSize = 1232;
    const std::size_t offset = index * kSize;
    const bool more = offset + kSize < cut.bytes.size();
    cut.src = host_of(cut.family);
    cut.dst = peer_of(cut.family);
    Packet packet = cut.piece(offset, more ? kSize : cut.bytes.size() - offset, more);
    packet.layers[0] = eth{.dst = kPeerMac, .src = kHostMac};
    return packet;
}

} // namespace

TEST_CASE("the kernel's long answers leave in fragments when these are tracked") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    const Datagram pong = datagram(family, echo_reply(family), 3000);
    Bench bench{kTrack};
    CHECK(bench.tc(nth(pong, 1)) == dropped(SP_REASON_FRAGMENT_ORPHAN));
    for (std::size_t i = 0; i < 3; ++i) CHECK(bench.tc(nth(pong, i)) == passes());
    CHECK(read_fragments(bench.instance()).empty());
    CHECK(bench.tc(nth(pong, 2)) == dropped(SP_REASON_FRAGMENT_ORPHAN));
    Bench silent{essentials("fragments = \"track\"\nping = \"none\"")};
    CHECK(silent.tc(nth(pong, 0)) == dropped(SP_REASON_NO_RULE));
    CHECK(silent.tc(nth(pong, 1)) == dropped(SP_REASON_FRAGMENT_ORPHAN));
    Bench strict{""};
    for (std::size_t i = 0; i < 3; ++i)
        CHECK(strict.tc(nth(pong, i)) == dropped(SP_REASON_FRAGMENT));
}

TEST_CASE("fragments that leave are judged by the egress rules, and their answers come in") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_out("dns", "any", "udp", "53") + kTrack};
    const Datagram open = datagram(family, udp{.sport = 40001, .dport = 53}, 3000);
    Datagram shut = datagram(family, udp{.sport = 40001, .dport = 54}, 3000);
    shut.id = 2;
    for (std::size_t i = 0; i < 3; ++i) CHECK(bench.tc(nth(open, i)) == passes());
    CHECK(bench.xdp(to_host(family) / udp{.sport = 53, .dport = 40001}) == passes());
    CHECK(bench.tc(nth(shut, 0)) == dropped(SP_REASON_NO_RULE));
    CHECK(bench.tc(nth(shut, 1)) == dropped(SP_REASON_FRAGMENT_ORPHAN));
}

TEST_CASE("what arrives and what leaves are not pieces of each other") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_out("dns", "any", "udp", "53") + allow_in("dns in", "any", "udp", "53") +
                kTrack};
    Datagram cut = datagram(family, udp{.dport = 53}, 3000);
    REQUIRE(bench.tc(nth(cut, 0)) == passes());
    cut.src = host_of(family);
    cut.dst = peer_of(family);
    CHECK_FALSE(bench.xdp(cut.piece(1232, 1232, true)).passed);
    cut.src = peer_of(family);
    cut.dst = host_of(family);
    CHECK(bench.xdp(cut.piece(1232, 1232, true)) == dropped(SP_REASON_FRAGMENT_ORPHAN));
}

TEST_CASE("at the cgroup, where packets are still whole, a fragment is made by hand and refused") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_out("all", "any", "any") + kTrack};
    const Datagram cut = datagram(family, udp{.dport = 53}, 3000);
    CHECK(bench.cgroup(nth(cut, 0)) == dropped(SP_REASON_FRAGMENT));
    CHECK(bench.cgroup(nth(cut, 1)) == dropped(SP_REASON_FRAGMENT));
    CHECK(bench.cgroup(from_host(family) / udp{}) == passes());
}

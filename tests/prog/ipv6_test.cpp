// SPDX-License-Identifier: Apache-2.0
// IPv6 and its extension headers: each kind is walked, a bounded number of
// them, in the only order that is safe; everything else has a reason.
#include "support/bench.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport::test;

namespace {

const std::string kSsh = allow_in("ssh", "any", "tcp", "22");

Packet v6() {
    return to_host(Family::v6);
}

} // namespace

TEST_CASE("another version in an IPv6 header is malformed") {
    Bench bench{allow_in("all", "any", "any")};
    for (std::uint8_t version : U8s{0, 4, 5, 7, 15}) {
        CHECK(bench.xdp(eth{} / ipv6{.version = version} / tcp{}) == dropped(SP_REASON_MALFORMED));
    }
    CHECK(bench.xdp(eth{} / ipv6{.traffic_class = 0xff, .flow_label = 0xfffff} / tcp{}) ==
          passes());
}

TEST_CASE("ports are found behind each kind of extension header") {
    Bench bench{kSsh};
    for (const Packet& head :
         {v6() / hop_by_hop{}, v6() / dest_options{}, v6() / routing{},
          v6() / hop_by_hop{} / dest_options{} / routing{} / dest_options{},
          v6() / dest_options{} / dest_options{} / routing{} / routing{.type = 2}}) {
        INFO(hex(head.bytes()));
        CHECK(bench.xdp(head / tcp{.dport = 22}) == passes());
        CHECK(bench.xdp(head / tcp{.dport = 23}) == dropped(SP_REASON_NO_RULE));
    }
}

TEST_CASE("the walk is bounded: one header more than it takes is dropped") {
    Bench bench{kSsh};
    Packet packet = v6();
    for (unsigned i = 0; i < SP_EXTS_MAX; ++i) packet = packet / dest_options{};
    CHECK(bench.xdp(packet / tcp{.dport = 22}) == passes());
    CHECK(bench.xdp(packet / tcp{.dport = 23}) == dropped(SP_REASON_NO_RULE));
    CHECK(bench.xdp(packet / dest_options{} / tcp{.dport = 22}) == dropped(SP_REASON_EXT_CHAIN));
    for (int i = 0; i < 100; ++i) packet = packet / dest_options{};
    CHECK(bench.xdp(packet / tcp{.dport = 22}) == dropped(SP_REASON_EXT_CHAIN));
}

TEST_CASE("hop-by-hop options come first and once, or not at all") {
    Bench bench{allow_in("all", "any", "any")};
    CHECK(bench.xdp(v6() / hop_by_hop{} / tcp{}) == passes());
    CHECK(bench.xdp(v6() / hop_by_hop{} / hop_by_hop{} / tcp{}) == dropped(SP_REASON_EXT_CHAIN));
    CHECK(bench.xdp(v6() / dest_options{} / hop_by_hop{} / tcp{}) == dropped(SP_REASON_EXT_CHAIN));
}

TEST_CASE("a routing header with segments left asks to forward and is dropped, of every type") {
    Bench bench{allow_in("all", "any", "any")};
    // Type 0 is deprecated whatever it has left (RFC 5095).
    CHECK(bench.xdp(v6() / routing{.type = 0, .segments = {"2001:db8::9"}} / tcp{}) ==
          dropped(SP_REASON_EXT_CHAIN));
    CHECK(bench.xdp(v6() / routing{.type = 0} / tcp{}) == dropped(SP_REASON_EXT_CHAIN));
    for (std::uint8_t type : U8s{1, 2, 3, 4, 253}) {
        INFO("type " << int(type));
        CHECK(bench.xdp(v6() /
                        routing{.type = type, .segments_left = 1, .segments = {"2001:db8::9"}} /
                        tcp{}) == dropped(SP_REASON_EXT_CHAIN));
        CHECK(bench.xdp(v6() /
                        routing{.type = type, .segments_left = 255, .segments = {"2001:db8::9"}} /
                        tcp{}) == dropped(SP_REASON_EXT_CHAIN));
        CHECK(bench.xdp(v6() /
                        routing{.type = type, .segments_left = 0, .segments = {"2001:db8::9"}} /
                        tcp{}) == passes());
    }
}

TEST_CASE("options of 264 bytes do not overflow the walk") {
    Bench bench{kSsh};
    Packet head = v6() / dest_options{.options = Bytes(262, 22)};
    CHECK(bench.xdp(head / tcp{.dport = 22}) == passes());
    CHECK(bench.xdp(head / tcp{.dport = 23}) == dropped(SP_REASON_NO_RULE));
    Packet longest = v6() / dest_options{.options = Bytes(2046, 22)};
    CHECK(bench.xdp(longest / tcp{.dport = 23}) == dropped(SP_REASON_NO_RULE));
}

TEST_CASE("an extension header that claims more than the packet has is truncated") {
    Bench bench{allow_in("all", "any", "any")};
    CHECK(bench.xdp(v6() / dest_options{.length = std::uint8_t{255}} / tcp{}) ==
          dropped(SP_REASON_TRUNCATED));
    CHECK(bench.xdp(v6() / hop_by_hop{.length = std::uint8_t{4}} / tcp{}) ==
          dropped(SP_REASON_TRUNCATED));
    CHECK(bench.xdp(v6() / routing{.length = std::uint8_t{200}} / tcp{}) ==
          dropped(SP_REASON_TRUNCATED));
}

TEST_CASE(
    "every fragment is dropped, an atomic one too, and what claims to be one behind options") {
    Bench bench{allow_in("all", "any", "any")};
    Packet tail = udp{} / Packet(text("12345678"));
    CHECK(bench.xdp(v6() / fragment{.more = true} / tail) == dropped(SP_REASON_FRAGMENT));
    CHECK(bench.xdp(v6() / fragment{} / tail) == dropped(SP_REASON_FRAGMENT));
    CHECK(bench.xdp(v6() / fragment{.offset = 3, .next = std::uint8_t{17}} / tail) ==
          dropped(SP_REASON_FRAGMENT));
    CHECK(bench.xdp(v6() / dest_options{} / fragment{} / tail) == dropped(SP_REASON_FRAGMENT));
    CHECK(bench.xdp(v6() / tail) == passes());
}

TEST_CASE("headers that are not walked end the walk: they are a protocol, never a way to a port") {
    Bench bench{kSsh};
    // ESP, AH, mobility, HIP, shim6, no next header, an unassigned number, two for experiments.
    for (std::uint8_t next : U8s{50, 51, 135, 139, 140, 59, 200, 253, 254}) {
        INFO("next header " << int(next));
        CHECK(bench.xdp(eth{} / ipv6{.next = next} / tcp{}) == dropped(SP_REASON_NO_RULE));
    }
    Bench esp{allow_in("esp", "any", "50")};
    CHECK(esp.xdp(eth{} / ipv6{.next = std::uint8_t{50}} / filler(16)) == passes());
    CHECK(esp.xdp(eth{} / ipv6{.next = std::uint8_t{135}} / filler(16)) ==
          dropped(SP_REASON_NO_RULE));
}

TEST_CASE("AH is judged by its number, also where what it bears would be allowed") {
    Bench ssh{kSsh};
    CHECK(ssh.xdp(v6() / ah{} / tcp{.dport = 22}) == dropped(SP_REASON_NO_RULE));
    CHECK(ssh.xdp(to_host(Family::v4) / ah{} / tcp{.dport = 22}) == dropped(SP_REASON_NO_RULE));
    Bench named{allow_in("ah", "any", "51")};
    CHECK(named.xdp(v6() / ah{} / tcp{.dport = 22}) == passes());
    CHECK(named.xdp(v6() / dest_options{} / ah{} / tcp{.dport = 22}) == passes());
    CHECK(named.xdp(to_host(Family::v4) / ah{} / tcp{.dport = 22}) == passes());
    CHECK(named.xdp(v6() / tcp{.dport = 22}) == dropped(SP_REASON_NO_RULE));
}

TEST_CASE(
    "a jumbogram is refused: its length of zero leaves no room for the option that says more") {
    Bench bench{allow_in("all", "any", "any")};
    Packet jumbo = eth{} / ipv6{.payload_length = std::uint16_t{0}} /
                   hop_by_hop{.options = {0xc2, 4, 0, 1, 0, 0}} / udp{} / filler(64);
    CHECK(bench.xdp(jumbo) == dropped(SP_REASON_TRUNCATED));
    CHECK(bench.xdp(v6() / hop_by_hop{} / udp{} / filler(64)) == passes());
}

// SPDX-License-Identifier: Apache-2.0
// What carries an IP packet beside Ethernet itself: an allowed packet inside of
// something else is not that packet. It is judged as what carries it, or dropped.
#include "support/bench.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <string>
#include <vector>

using namespace sallyport::test;

namespace {

const std::string kSsh = allow_in("ssh", "any", "tcp", "22");

// An IP packet that kSsh allows, as bytes.
Bytes allowed(Family family) {
    return (ip(family) / tcp{.dport = 22}).bytes();
}

Packet behind(const Bytes& head, Family family) {
    Bytes bytes = head;
    Bytes inner = allowed(family);
    bytes.insert(bytes.end(), inner.begin(), inner.end());
    return raw{.bytes = bytes};
}

Packet ether(std::uint16_t type, const Bytes& head, Family family) {
    return eth{.type = type} / behind(head, family);
}

} // namespace

TEST_CASE("an allowed packet behind MPLS, PPPoE, 802.3 or an unknown type does not pass") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kSsh};
    std::uint8_t ppp = family == Family::v4 ? 0x21 : 0x57;
    Bytes type = family == Family::v4 ? Bytes{8, 0} : Bytes{0x86, 0xdd};
    Bytes snap{0xaa, 0xaa, 3, 0, 0, 0, type[0], type[1]};
    std::uint16_t length = static_cast<std::uint16_t>(8 + allowed(family).size());
    for (const Packet& packet : std::vector<Packet>{
             ether(0x8847, {0, 1, 1, 64}, family), ether(0x8848, {0, 1, 1, 64}, family),
             ether(0x8863, {0x11, 0, 0, 1, 0, 62, 0, ppp}, family),
             ether(0x8864, {0x11, 0, 0, 1, 0, 62, 0, ppp}, family), ether(length, snap, family),
             ether(length, {6, 6, 3}, family), ether(0x9100, {0, 5, type[0], type[1]}, family),
             ether(0x9200, {0, 5, type[0], type[1]}, family),
             ether(0x88e5, {0, 0, 0, 0, 0, 1, type[0], type[1]}, family), // MACsec
             ether(0x88e7, Bytes(18, 0), family),                         // provider backbone
             ether(0x22f0, {}, family), ether(0xffff, {}, family)}) {
        INFO(hex(packet.bytes()));
        CHECK(bench.xdp(packet) == dropped(SP_REASON_ETHERTYPE));
        CHECK(bench.tc(packet) == dropped(SP_REASON_ETHERTYPE));
    }
    // The same behind a tag that is walked, and as it should be.
    CHECK(bench.xdp(eth{} / vlan{.type = std::uint16_t{0x8864}} /
                    behind({0x11, 0, 0, 1, 0, 62, 0, ppp}, family)) ==
          dropped(SP_REASON_ETHERTYPE));
    CHECK(bench.xdp(eth{} / vlan{} / behind({}, family)).passed == false);
    CHECK(bench.xdp(eth{} / vlan{} / ip(family) / tcp{.dport = 22}) == passes());
}

TEST_CASE("one to ten priority tags carry an allowed packet past no further than two") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{kSsh};
    for (std::uint16_t tpid : U16s{0x8100, 0x88a8}) {
        Packet head = eth{};
        for (unsigned tags = 1; tags <= 10; ++tags) {
            head = head / vlan{.id = 0, .tpid = tpid};
            INFO(tags << " tags of " << tpid);
            bool walked = tags <= SP_VLANS_MAX;
            CHECK(bench.xdp(head / ip(family) / tcp{.dport = 22}) ==
                  (walked ? passes() : dropped(SP_REASON_VLAN_DEPTH)));
            CHECK(bench.xdp(head / ip(family) / tcp{.dport = 23}) ==
                  dropped(walked ? SP_REASON_NO_RULE : SP_REASON_VLAN_DEPTH));
        }
    }
}

TEST_CASE("a tunnel to the host is judged by its own number, not by what it carries") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Packet outer = to_host(family);
    std::vector<std::pair<std::string, Packet>> tunnels{
        {"4", outer / ipv4{} / tcp{.dport = 22}},
        {"41", outer / ipv6{} / tcp{.dport = 22}},
        {"47", family == Family::v4
                   ? eth{} / ipv4{.proto = std::uint8_t{47}} / behind({0, 0, 8, 0}, family)
                   : eth{} / ipv6{.next = std::uint8_t{47}} / behind({0, 0, 0x86, 0xdd}, family)},
    };
    for (const auto& [proto, packet] : tunnels) {
        INFO("protocol " << proto);
        CHECK(Bench{kSsh}.xdp(packet) == dropped(SP_REASON_NO_RULE));
        CHECK(Bench{allow_in("tunnel", "any", proto)}.xdp(packet) == passes());
    }
}

TEST_CASE("VXLAN and Geneve to the host are datagrams to their ports") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bytes frame = (eth{} / ip(family) / tcp{.dport = 22}).bytes();
    for (std::uint16_t port : U16s{4789, 6081, 8472}) {
        Bytes body{8, 0, 0, 0, 0, 0, 1, 0};
        body.insert(body.end(), frame.begin(), frame.end());
        Packet packet = to_host(family) / udp{.dport = port} / raw{.bytes = body};
        CHECK(Bench{kSsh}.xdp(packet) == dropped(SP_REASON_NO_RULE));
        CHECK(Bench{allow_in("overlay", "any", "udp", std::to_string(port))}.xdp(packet) ==
              passes());
        CHECK(Bench{allow_in("overlay", "any", "udp", std::to_string(port + 1))}.xdp(packet) ==
              dropped(SP_REASON_NO_RULE));
    }
}

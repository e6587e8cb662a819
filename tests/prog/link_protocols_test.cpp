// SPDX-License-Identifier: Apache-2.0
// The protocols between neighbours on a link, by name: both ways, only to where
// they belong, and never one for another.
#include "support/bench.h"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

using namespace sallyport::test;

namespace {

constexpr const char* kNearestBridge = "01:80:c2:00:00:0e";
constexpr const char* kSlowGroup = "01:80:c2:00:00:02";
constexpr const char* kClocks = "01:1b:19:00:00:00";

Packet frame(const std::string& dst, std::uint16_t type, Bytes body) {
    body.resize(46);
    return eth{.dst = dst, .type = type} / Packet(raw{.bytes = body});
}

struct Named {
    std::string name;
    std::vector<Packet> belong; // pass when it is named
    std::vector<Packet> stray;  // never do
};

std::vector<Named> protocols() {
    return {
        {"lldp",
         {frame(kNearestBridge, 0x88cc, {2, 7}), frame("01:80:c2:00:00:03", 0x88cc, {2, 7}),
          frame("01:80:c2:00:00:00", 0x88cc, {2, 7})},
         {frame(kHostMac, 0x88cc, {2, 7}), frame(kBroadcastMac, 0x88cc, {2, 7}),
          frame("01:80:c2:00:00:10", 0x88cc, {2, 7})}},
        {"eapol",
         {frame("01:80:c2:00:00:03", 0x888e, {2, 1}), frame(kHostMac, 0x888e, {2, 1})},
         {frame(kBroadcastMac, 0x888e, {2, 1}), frame(kClocks, 0x888e, {2, 1})}},
        {"lacp",
         {frame(kSlowGroup, 0x8809, {1, 1}), frame(kSlowGroup, 0x8809, {2, 1})},
         {frame(kSlowGroup, 0x8809, {0}), frame(kSlowGroup, 0x8809, {3}),
          frame(kSlowGroup, 0x8809, {10}), frame(kHostMac, 0x8809, {1, 1}),
          eth{.dst = kSlowGroup, .type = std::uint16_t{0x8809}}}},
        {"ptp",
         {frame(kClocks, 0x88f7, {0}), frame(kNearestBridge, 0x88f7, {2}),
          frame(kHostMac, 0x88f7, {1})},
         {frame(kBroadcastMac, 0x88f7, {0}), frame("01:1b:19:00:00:01", 0x88f7, {0})}},
        {"stp",
         {frame("01:80:c2:00:00:00", 38, {0x42, 0x42, 3, 0, 0, 2, 2}),
          frame("01:80:c2:00:00:00", 7, {0x42, 0x42, 3, 0, 0, 0, 0x80})},
         {frame("01:80:c2:00:00:00", 38, {0xaa, 0xaa, 3}), // SNAP
          frame("01:80:c2:00:00:00", 38, {0x42, 0x42, 0x13}),
          frame("01:80:c2:00:00:00", 6, {0x42, 0x42, 3}),
          frame("01:80:c2:00:00:00", 47, {0x42, 0x42, 3}), // longer than the frame
          frame("01:80:c2:00:00:00", 0x4242, {0x42, 0x42, 3}),
          frame("01:00:0c:cc:cc:cd", 38, {0x42, 0x42, 3}), frame(kHostMac, 38, {0x42, 0x42, 3})}},
    };
}

Bench all_but_links(const std::string& lines) {
    return Bench{allow_in("all", "any", "any") + allow_out("all out", "any", "any") +
                 essentials(lines)};
}

} // namespace

TEST_CASE("no link protocol passes that the policy does not name, however open it is") {
    Bench bench = all_but_links("");
    for (const Named& row : protocols()) {
        INFO(row.name);
        for (const Packet& packet : row.belong) {
            CHECK(bench.xdp(packet) == dropped(SP_REASON_ETHERTYPE));
            CHECK(bench.tc(packet) == dropped(SP_REASON_ETHERTYPE));
        }
    }
}

TEST_CASE("a link protocol that is named passes both ways, where it belongs, and no other does") {
    for (const Named& named : protocols()) {
        Bench bench = all_but_links("link-protocols = [\"" + named.name + "\"]");
        for (const Named& row : protocols()) {
            INFO(named.name << " is named, this is " << row.name);
            Expected expected = row.name == named.name ? passes() : dropped(SP_REASON_ETHERTYPE);
            for (const Packet& packet : row.belong) {
                INFO(hex(packet.bytes()));
                CHECK(bench.xdp(packet) == expected);
                CHECK(bench.tc(packet) == expected);
            }
        }
    }
}

TEST_CASE("with all of them named a frame that is none, or goes elsewhere, is dropped") {
    Bench bench =
        all_but_links("link-protocols = [\"lldp\", \"eapol\", \"lacp\", \"ptp\", \"stp\"]");
    for (const Named& row : protocols()) {
        INFO(row.name);
        for (const Packet& packet : row.stray) {
            INFO(hex(packet.bytes()));
            CHECK(bench.xdp(packet) == dropped(SP_REASON_ETHERTYPE));
            CHECK(bench.tc(packet) == dropped(SP_REASON_ETHERTYPE));
        }
    }
    CHECK(bench.xdp(frame(kOtherMac, 0x888e, {2, 1})) == dropped(SP_REASON_OTHER_STATION));
    // Where there is no Ethernet there is no such frame.
    CHECK(bench.xdp(frame(kNearestBridge, 0x88cc, {2, 7}), "wg0") == dropped(SP_REASON_ETHERTYPE));
}

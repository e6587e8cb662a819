// SPDX-License-Identifier: Apache-2.0
// Whose addresses: sources that cannot come from the wire, destinations that
// are this host's and those that are somebody else's.
#include "support/bench.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace sallyport::test;

namespace {

const std::string kOpen = allow_in("all", "any", "any");

Packet from(const std::string& src) {
    Family family = src.find(':') == std::string::npos ? Family::v4 : Family::v6;
    return eth{} / ip(family, src, host_of(family)) / udp{};
}

Packet to(const std::string& dst, const std::string& mac = kHostMac) {
    Family family = dst.find(':') == std::string::npos ? Family::v4 : Family::v6;
    return eth{.dst = mac} / ip(family, peer_of(family), dst) / udp{};
}

} // namespace

TEST_CASE("sources that no packet of the wire bears are dropped however open the policy") {
    Bench bench{kOpen};
    for (const char* src : {"127.0.0.1", "127.255.255.255", "0.0.0.0", "0.1.2.3", "224.0.0.1",
                            "239.255.255.255", "255.255.255.255", "::", "::1", "ff02::1", "ff0e::5",
                            "::ffff:198.51.100.7", "::ffff:10.0.0.1", "::198.51.100.7"}) {
        INFO(src);
        CHECK(bench.xdp(from(src)) == dropped(SP_REASON_BOGON));
    }
    for (const char* src :
         {"126.255.255.255", "128.0.0.1", "1.0.0.0", "223.255.255.255", "240.0.0.1", "10.0.0.1",
          "169.254.1.1", "2001:db8::2", "fe80::7", "fd00::1", "64:ff9b::c633:6407"}) {
        INFO(src);
        CHECK(bench.xdp(from(src)) == passes());
    }
}

TEST_CASE("the host's own addresses do not come from the wire") {
    Bench bench{kOpen};
    for (const char* own : {kHost4, kHost6, kHostLink6}) {
        INFO(own);
        CHECK(bench.xdp(from(own)) == dropped(SP_REASON_BOGON));
    }
    bench.set_local("192.0.2.9", SP_LOCAL_HOST);
    CHECK(bench.xdp(from("192.0.2.9")) == dropped(SP_REASON_BOGON));
    bench.set_local("192.0.2.9", 0);
    CHECK(bench.xdp(from("192.0.2.9")) == passes());
}

TEST_CASE("loopback and unspecified destinations are dropped") {
    Bench bench{kOpen};
    for (const char* dst : {"127.0.0.1", "0.0.0.0", "::1", "::"}) {
        INFO(dst);
        CHECK(bench.xdp(to(dst)) == dropped(SP_REASON_BOGON));
    }
}

TEST_CASE("an ingress rule opens the host's own addresses and nobody else's") {
    Bench bench{kOpen};
    CHECK(bench.xdp(to(kHost4)) == passes());
    CHECK(bench.xdp(to(kHost6)) == passes());
    for (const char* dst : {"192.0.2.2", "10.0.0.9", "2001:db8::2", "fd00::9"}) {
        INFO(dst);
        Seen seen = bench.xdp(to(dst));
        CHECK(seen == dropped(SP_REASON_NO_RULE));
        REQUIRE(seen.events.size() == 1);
        CHECK(seen.events[0].direction == SP_FORWARD);
    }
}

TEST_CASE("an address of another namespace of this machine is not the host's") {
    Bench bench{kOpen};
    bench.set_local("192.0.2.50", SP_LOCAL_ELSEWHERE);
    CHECK(bench.xdp(to("192.0.2.50")) == dropped(SP_REASON_NO_RULE));
    bench.set_local("192.0.2.50", SP_LOCAL_HOST);
    CHECK(bench.xdp(to("192.0.2.50")) == passes());
    bench.set_local("192.0.2.50", 0);
}

TEST_CASE("groups and broadcasts are judged by the ingress rules, in frames for many") {
    Bench open{allow_in("mdns", "any", "udp", "53")};
    bool subnet = GENERATE(false, true);
    std::string dst = subnet ? "192.0.2.255" : "255.255.255.255";
    open.set_local("192.0.2.255", SP_LOCAL_BROADCAST);
    CHECK(open.xdp(to(dst, kBroadcastMac)) == passes());
    CHECK(open.xdp(to("224.0.0.251", "01:00:5e:00:00:fb")) == passes());
    CHECK(open.xdp(to("ff02::fb", "33:33:00:00:00:fb")) == passes());
    Bench shut{allow_in("other", "any", "udp", "54")};
    shut.set_local("192.0.2.255", SP_LOCAL_BROADCAST);
    CHECK(shut.xdp(to(dst, kBroadcastMac)) == dropped(SP_REASON_NO_RULE));
    CHECK(shut.xdp(to("224.0.0.251", "01:00:5e:00:00:fb")) == dropped(SP_REASON_NO_RULE));
    CHECK(shut.xdp(to("ff02::fb", "33:33:00:00:00:fb")) == dropped(SP_REASON_NO_RULE));
    shut.set_local("192.0.2.255", 0);
}

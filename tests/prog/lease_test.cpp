// SPDX-License-Identifier: Apache-2.0
// What the host's DHCP client asks of one server: it passes by no rule, and an error about
// it comes back.
#include "support/bench.h"
#include "support/icmp_message.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace sallyport::test;

namespace {

struct Lease {
    Family family;
    std::uint16_t client = family == Family::v4 ? 68 : 546;
    std::uint16_t server = family == Family::v4 ? 67 : 547;
    const char* host = family == Family::v4 ? kHost4 : kHostLink6;
    const char* from = family == Family::v4 ? "10.0.0.1" : kPeerLink6;

    Packet asks(const std::string& src, const std::string& dst, std::uint16_t sport) const {
        return ip(family, src, dst) / udp{.sport = sport, .dport = server};
    }
    Packet about(const Packet& quoted) const {
        return eth{} / ip(family, from, host) / unreachable(family, quoted);
    }
};

} // namespace

TEST_CASE("an error about what one DHCP server was asked comes back") {
    Lease lease{.family = GENERATE(Family::v4, Family::v6)};
    INFO(to_string(lease.family));
    Bench bench{allow_in("web", "any", "tcp", "80")};
    bench.set_local(kHostLink6, SP_LOCAL_HOST);
    Packet renewal = lease.asks(lease.host, lease.from, lease.client);
    CHECK(bench.xdp(lease.about(renewal)) == dropped(SP_REASON_ICMP_UNRELATED));
    CHECK(bench.tc(eth{} / renewal) == passes());
    CHECK(bench.xdp(lease.about(renewal)) == passes());
    auto other = static_cast<std::uint16_t>(lease.client + 1);
    CHECK(bench.xdp(lease.about(lease.asks(lease.host, lease.from, other))) ==
          dropped(SP_REASON_ICMP_UNRELATED));
    bench.set_local(kHostLink6, 0);
}

TEST_CASE("what all DHCP servers are asked, or by another's address, makes no flow") {
    Lease lease{.family = GENERATE(Family::v4, Family::v6)};
    INFO(to_string(lease.family));
    Bench bench{allow_in("web", "any", "tcp", "80")};
    bench.set_local(kHostLink6, SP_LOCAL_HOST);
    const char* all = lease.family == Family::v4 ? "255.255.255.255" : "ff02::1:2";
    const char* nobody = lease.family == Family::v4 ? "192.0.2.99" : "fe80::99";
    CHECK(bench.tc(eth{.dst = kBroadcastMac} / lease.asks(lease.host, all, lease.client)) ==
          passes());
    CHECK(bench.tc(eth{} / lease.asks(nobody, lease.from, lease.client)) == passes());
    CHECK(bench.flow_entries() == 0);
    CHECK(bench.tc(eth{} / lease.asks(lease.host, lease.from, lease.client)) == passes());
    CHECK(bench.flow_entries() == 1);
    bench.set_local(kHostLink6, 0);
}

TEST_CASE("a full table keeps no DHCP client from its lease") {
    Lease lease{.family = GENERATE(Family::v4, Family::v6)};
    INFO(to_string(lease.family));
    Bench bench{allow_out("dns", "any", "udp", "53"),
                BenchOptions{.flow_sets = 1, .flow_max = SP_FLOW_WAYS}};
    bench.set_local(kHostLink6, SP_LOCAL_HOST);
    for (std::uint16_t i = 0; i < SP_FLOW_WAYS; ++i) {
        auto sport = static_cast<std::uint16_t>(50000 + i);
        CHECK(bench.tc(from_host(Family::v4) / udp{.sport = sport, .dport = 53}) == passes());
    }
    CHECK(bench.tc(from_host(Family::v4) / udp{.sport = 51000, .dport = 53}) ==
          dropped(SP_REASON_FLOW_FULL));
    CHECK(bench.tc(eth{} / lease.asks(lease.host, lease.from, lease.client)) == passes());
    bench.set_local(kHostLink6, 0);
}

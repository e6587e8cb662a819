// SPDX-License-Identifier: Apache-2.0
// Observe mode: judges, counts and reports as enforce would, and drops nothing.
#include "support/bench.h"
#include "support/icmp_message.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace sallyport::test;

namespace {

BenchOptions observing() {
    return BenchOptions{.host = "mode = \"observe\"\n"};
}

} // namespace

TEST_CASE("in observe mode every refusal is a report, and the packet passes") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_in("ssh", "any", "tcp", "22") + deny_in("no dns", "any", "udp", "53"),
                observing()};
    Packet head = to_host(family);
    CHECK(bench.xdp(head / tcp{.dport = 22}) == passes());
    CHECK(bench.xdp(head / tcp{.dport = 23}) == would_be_dropped(SP_REASON_NO_RULE));
    CHECK(bench.xdp(head / udp{.dport = 53}) == would_be_dropped(SP_REASON_DENIED));
    CHECK(bench.xdp(head / tcp{.flags = ACK}) == would_be_dropped(SP_REASON_NO_FLOW));
    CHECK(bench.xdp(head / tcp{.flags = SYN | FIN}) == would_be_dropped(SP_REASON_TCP_FLAGS));
    CHECK(bench.xdp(head / unreachable(family, from_host(family) / udp{})) ==
          would_be_dropped(SP_REASON_ICMP_UNRELATED));
    CHECK(bench.cgroup(from_host(family) / tcp{}) == would_be_dropped(SP_REASON_NO_RULE));
    CHECK(bench.tc(from_host(family) / tcp{}) == would_be_dropped(SP_REASON_NO_RULE));
}

TEST_CASE("in observe mode even what is malformed, or for another station, passes") {
    Bench bench{"", observing()};
    CHECK(bench.xdp(eth{.dst = kOtherMac} / ipv4{} / tcp{}) ==
          would_be_dropped(SP_REASON_OTHER_STATION));
    CHECK(bench.xdp(eth{} / ipv4{.ihl = std::uint8_t{3}} / tcp{}) ==
          would_be_dropped(SP_REASON_MALFORMED));
    CHECK(bench.xdp(eth{.type = std::uint16_t{0x88cc}} / filler(46)) ==
          would_be_dropped(SP_REASON_ETHERTYPE));
    CHECK(bench.xdp(eth{} / vlan{} / vlan{} / vlan{} / ipv4{}) ==
          would_be_dropped(SP_REASON_VLAN_DEPTH));
    CHECK(bench.xdp(eth{} / ipv4{.mf = true} / udp{}) == would_be_dropped(SP_REASON_FRAGMENT));
    CHECK(bench.xdp(eth{} / ipv4{.src = "127.0.0.1"} / udp{}) == would_be_dropped(SP_REASON_BOGON));
}

TEST_CASE("without a policy there is no observe mode either: everything is dropped") {
    Bench bench{"", observing()};
    bench.set_control(0);
    CHECK(bench.xdp(to_host(Family::v4) / tcp{}) == dropped(SP_REASON_NO_POLICY));
}

TEST_CASE(
    "observe mode keeps flows as enforce would: what may open is known, what may not is not") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_out("web", "any", "tcp", "443"), observing()};
    auto syn = [&](std::uint16_t port) {
        return bench.tc(from_host(family) / tcp{.sport = 50000, .dport = port});
    };
    auto reply = [&](std::uint16_t port) {
        return bench.xdp(to_host(family) / tcp{.sport = port, .dport = 50000, .flags = SYN | ACK});
    };
    CHECK(syn(443) == passes());
    CHECK(reply(443) == passes());
    CHECK(syn(444) == would_be_dropped(SP_REASON_NO_RULE));
    CHECK(reply(444) == would_be_dropped(SP_REASON_NO_FLOW));
}

// SPDX-License-Identifier: Apache-2.0
// ICMP's time stamps: who may ask is answered, by the kernel, one by one. ICMPv6 has none;
// there nothing but an echo reply answers.
#include "support/bench.h"
#include "support/icmp_message.h"
#include "support/machine.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace sallyport::test;

namespace {

const Packet kAsks = Packet(icmp{.type = 13}) / filler(12);
const Packet kTells = Packet(icmp{.type = 14}) / filler(12);

std::string may_ask(const std::string& from) {
    return "[[ingress]]\nname = \"clock\"\nfrom = \"" + from +
           "\"\nproto = \"icmp\"\ntypes = [\"timestamp-request\"]\n";
}

} // namespace

TEST_CASE("who may ask for the time is told it, without a rule for the way out") {
    Bench bench{may_ask("any")};
    CHECK(bench.xdp(to_host(Family::v4) / kAsks) == passes());
    Seen seen = bench.tc(from_host(Family::v4) / kTells);
    CHECK(seen == passes());
    CHECK(seen.rule == "clock");
    CHECK(bench.flow_entries() == 0); // or it would be one for any ICMP
    CHECK(bench.xdp(to_host(Family::v4) / icmp{.type = 17}) == dropped(SP_REASON_NO_RULE));
}

TEST_CASE("who may not ask is not told, nor is anything else told to who may") {
    Bench ping{allow_in("ping", "any", "icmp")};
    CHECK(ping.tc(from_host(Family::v4) / kTells) == dropped(SP_REASON_NO_RULE));
    Bench clock{may_ask("none") + allow_in("web", "any", "tcp", "80")};
    CHECK(clock.tc(from_host(Family::v4) / kTells) == dropped(SP_REASON_NO_RULE));
    Bench bench{may_ask("any") + essentials("ping = \"none\"")};
    CHECK(bench.tc(from_host(Family::v4) / kAsks) == dropped(SP_REASON_NO_RULE));
    CHECK(bench.tc(from_host(Family::v4) / icmp{.type = 18}) == dropped(SP_REASON_NO_RULE));
    CHECK(bench.tc(from_host(Family::v4) / echo_reply(Family::v4)) == dropped(SP_REASON_NO_RULE));
    // The number is nothing of that kind in ICMPv6.
    CHECK(bench.tc(from_host(Family::v6) / icmp6{.type = 14}) == dropped(SP_REASON_NO_RULE));
}

TEST_CASE("a box is told the time, and tells it, by the rule for the question") {
    std::string clock =
        "[[forward]]\nname = \"clock\"\nfrom = [\"198.51.100.0/24\"]\n"
        "to = [\"10.9.0.0/24\"]\nproto = \"icmp\"\ntypes = [\"timestamp-request\"]\n";
    sp_forward_hook hook = GENERATE(SP_FORWARD_TC_INGRESS, SP_FORWARD_NETFILTER);
    if (hook == SP_FORWARD_NETFILTER && !has_netfilter_programs()) return;
    Bench bench{clock, {.forward_hook = hook}};
    Packet in = eth{} / ip(Family::v4, kPeer4, "10.9.0.2");
    Packet out = eth{} / ip(Family::v4, "10.9.0.2", kPeer4);
    CHECK(bench.xdp(in / kAsks) == passes());
    CHECK(bench.forward(out / kTells) == passes());
    CHECK(bench.forward(out / kAsks) == dropped(SP_REASON_NO_RULE));
    CHECK(bench.xdp(in / kTells) == dropped(SP_REASON_NO_RULE));
    CHECK(bench.forward(out / echo_reply(Family::v4)) == dropped(SP_REASON_NO_RULE));
}

TEST_CASE("whom this host has asked for the time may tell it, and may ask nothing himself") {
    Bench bench{"[[egress]]\nname = \"clock\"\nto = \"any\"\nproto = 1\n"};
    CHECK(bench.tc(from_host(Family::v4) / kAsks) == passes());
    CHECK(bench.xdp(to_host(Family::v4) / kTells) == passes());
    CHECK(bench.xdp(to_host(Family::v4) / kAsks) == dropped(SP_REASON_NO_RULE));
    for (std::uint8_t type : U8s{9, 10, 17, 42, 200})
        CHECK(bench.xdp(to_host(Family::v4) / icmp{.type = type}) == dropped(SP_REASON_NO_RULE));
    Bench six{"[[egress]]\nname = \"nodes\"\nto = \"any\"\nproto = 58\n"};
    CHECK(six.tc(from_host(Family::v6) / icmp6{.type = 139}) == passes());
    CHECK(six.xdp(to_host(Family::v6) / icmp6{.type = 140}) == passes());
    for (std::uint8_t type : U8s{139, 144, 160, 200})
        CHECK(six.xdp(to_host(Family::v6) / icmp6{.type = type}) == dropped(SP_REASON_NO_RULE));
}

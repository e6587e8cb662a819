// SPDX-License-Identifier: Apache-2.0
// Which ICMP types a rule can open: none by "any" but echo requests, by "icmp"
// no more, by name or number those that are still of use, and some never.
#include "support/bench.h"
#include "support/icmp_message.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <set>
#include <string>

using namespace sallyport::test;

namespace {

using Types = std::set<unsigned>;

Packet message(Family family, unsigned type) {
    std::uint8_t t = static_cast<std::uint8_t>(type);
    return family == Family::v4 ? icmp{.type = t} / filler(24) : icmp6{.type = t} / filler(24);
}

// Types that have checks of their own before any rule.
Types own_checks(Family family) {
    if (family == Family::v4) return {3, 5, 11, 12};
    return {1, 2, 3, 4, 130, 131, 132, 133, 134, 135, 136, 137, 143};
}

// RFC 6633 and 6918; in ICMPv6 what RFC 4443 reserves.
Types dead(Family family) {
    if (family == Family::v6) return {0, 127, 255};
    Types types{4, 6, 15, 16};
    for (unsigned type = 30; type <= 39; ++type) types.insert(type);
    return types;
}

std::string rule_for(const std::string& table, const std::string& proto, unsigned type) {
    return "[[" + table + "]]\nname = \"named\"\n" + (table == "ingress" ? "from" : "to") +
           " = \"any\"\nproto = \"" + proto + "\"\ntypes = [" + std::to_string(type) + "]\n";
}

} // namespace

TEST_CASE("a rule for any protocol opens echo requests and no other ICMP, either way") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_in("all", "any", "any") + allow_out("all out", "any", "any") +
                essentials("ping = \"none\"")};
    unsigned echo = family == Family::v4 ? 8 : 128;
    for (unsigned type = 0; type < 256; ++type) {
        INFO("type " << type);
        Seen in = bench.xdp(to_host(family) / message(family, type));
        CHECK(in.passed == (type == echo));
        CHECK(in.disagreements.empty());
        if (dead(family).contains(type)) CHECK(in == dropped(SP_REASON_ICMP_TYPE));
        if (!in.passed && !dead(family).contains(type) && !own_checks(family).contains(type))
            CHECK(in == dropped(SP_REASON_NO_RULE));
    }
    for (unsigned type = 0; type < 256; ++type) {
        INFO("type " << type << ", leaving");
        Seen out = bench.tc(from_host(family) / message(family, type));
        unsigned reply = family == Family::v4 ? 0 : 129;
        CHECK(out.passed == (type == echo || type == reply)); // the rule lets the peer ask
        CHECK((out.reason == SP_REASON_ICMP_TYPE) == dead(family).contains(type));
    }
}

TEST_CASE("a rule that names a type opens it and no other, but for what is never opened") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    std::string proto = "icmp";
    unsigned last = family == Family::v4 ? 18 : 148;
    unsigned first = family == Family::v4 ? 0 : 125;
    for (unsigned type = first; type <= last; ++type) {
        INFO("type " << type);
        Bench bench{rule_for("ingress", proto, type) + essentials("ping = \"none\"")};
        Seen seen = bench.xdp(to_host(family) / message(family, type));
        if (dead(family).contains(type)) {
            CHECK(seen == dropped(SP_REASON_ICMP_TYPE));
        } else {
            CHECK(seen.passed == !own_checks(family).contains(type));
        }
        unsigned other = family == Family::v4 ? 41 : 200;
        CHECK(bench.xdp(to_host(family) / message(family, other)) == dropped(SP_REASON_NO_RULE));
    }
}

TEST_CASE("a deny rule for any protocol refuses the types that another rule names") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    unsigned type = family == Family::v4 ? 13 : 139;
    std::string named = rule_for("ingress", "icmp", type);
    CHECK(Bench{named}.xdp(to_host(family) / message(family, type)) == passes());
    CHECK(Bench{named + deny_in("none of you", "any")}.xdp(
              to_host(family) / message(family, type)) == dropped(SP_REASON_DENIED));
}

TEST_CASE("an error about this host's talk with itself is no error of the wire") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_in("all", "any", "any") + allow_out("all out", "any", "any")};
    Packet self = ip(family, host_of(family), host_of(family)) / tcp{.sport = 50000, .dport = 443};
    // Made to be known: a flow that no packet of the wire can make.
    CHECK(bench.tc(eth{} / self) == passes());
    CHECK(bench.xdp(to_host(family) / too_big(family, self)) == dropped(SP_REASON_ICMP_UNRELATED));
    Packet honest =
        ip(family, host_of(family), peer_of(family)) / tcp{.sport = 50000, .dport = 443};
    CHECK(bench.tc(eth{} / honest) == passes());
    CHECK(bench.xdp(to_host(family) / too_big(family, honest)) == passes());
}

TEST_CASE("an error must go to the sender of what it quotes, and not quote an error or a later "
          "fragment") {
    Family family = GENERATE(Family::v4, Family::v6);
    INFO(to_string(family));
    Bench bench{allow_out("all", "any", "any")};
    bench.set_local(family == Family::v4 ? "192.0.2.2" : "2001:db8::2", SP_LOCAL_HOST);
    Packet sent = ip(family, host_of(family), peer_of(family));
    CHECK(bench.tc(eth{} / sent / udp{.sport = 50000, .dport = 53} / text("x")) == passes());
    CHECK(bench.tc(eth{} / sent / echo_request(family, 0)) == passes());
    Packet quoted = sent / udp{.sport = 50000, .dport = 53} / text("x");
    CHECK(bench.xdp(to_host(family) / unreachable(family, quoted)) == passes());
    const char* second = family == Family::v4 ? "192.0.2.2" : "2001:db8::2";
    CHECK(bench.xdp(eth{} / ip(family, peer_of(family), second) / unreachable(family, quoted)) ==
          dropped(SP_REASON_ICMP_UNRELATED));
    // An error within an error: its unused word is zero, like the id of the ping above.
    CHECK(bench.xdp(to_host(family) / unreachable(family, sent / echo_request(family, 0))) ==
          passes());
    CHECK(bench.xdp(to_host(family) / unreachable(family, sent / unreachable(family, quoted))) ==
          dropped(SP_REASON_ICMP_UNRELATED));
    if (family == Family::v4) {
        Packet piece = ipv4{.src = kHost4, .dst = kPeer4, .proto = 17, .offset = 1} /
                       raw{.bytes = {0xc3, 0x50, 0, 53, 0, 9, 0, 0}};
        CHECK(bench.xdp(to_host(family) / unreachable(family, piece)) ==
              dropped(SP_REASON_ICMP_UNRELATED));
    } else {
        CHECK(bench.xdp(to_host(family) /
                        unreachable(family, sent / fragment{.offset = 1, .next = std::uint8_t{17}} /
                                                udp{.sport = 50000})) ==
              dropped(SP_REASON_ICMP_UNRELATED));
    }
    bench.set_local(second, 0);
}

TEST_CASE("a redirect leaves, like it comes, only where the policy wants redirects") {
    std::string named = rule_for("egress", "icmp", 5) +
                        "[[egress]]\nname = \"six\"\nto = "
                        "\"any\"\nproto = \"icmp\"\ntypes = [137]\n";
    Packet v4 = eth{} / ipv4{.src = kHost4, .dst = kPeer4} / redirect4();
    Packet v6 = eth{} / ipv6{.src = kHostLink6, .dst = kPeerLink6, .hop_limit = 255} / redirect6();
    Packet unsound = eth{} / ipv6{.src = kHost6, .dst = kPeer6, .hop_limit = 255} / redirect6();
    for (const Packet& packet : {v4, v6, unsound}) {
        Bench strict{named};
        CHECK(strict.tc(packet) == dropped(SP_REASON_REDIRECT));
        CHECK(strict.cgroup(packet) == dropped(SP_REASON_REDIRECT));
    }
    Bench lax{essentials("redirects = true")};
    CHECK(lax.tc(v4) == passes());
    CHECK(lax.tc(v6) == passes());
    CHECK(lax.tc(unsound) == dropped(SP_REASON_REDIRECT));
}

// SPDX-License-Identifier: Apache-2.0
// The oracle against docs/policy.md, sentence by sentence.
#include "policy/evaluate.h"

#include <catch2/catch_test_macros.hpp>
#include <memory>

using namespace sallyport;

namespace {

PeerSet nets(const std::vector<std::string>& texts) {
    std::vector<Prefix> list;
    for (const std::string& text : texts) list.push_back(*parse_prefix(text));
    return {.parts = {{.networks = std::make_shared<const std::vector<Prefix>>(std::move(list)),
                       .except = {},
                       .interfaces = {}}}};
}

Services tcp(std::uint16_t low, std::uint16_t high) {
    return {.any_protocol = false, .ranges = {{.proto = 6, .low = low, .high = high}}};
}

const Services kAnything{.any_protocol = true, .ranges = {}};

Rule allow(PeerSet from, Services services) {
    Rule rule;
    rule.from = std::move(from);
    rule.services = std::move(services);
    return rule;
}

Rule deny(PeerSet from, Services services) {
    Rule rule = allow(std::move(from), std::move(services));
    rule.deny = true;
    return rule;
}

Policy policy(std::vector<Rule> rules) {
    Policy made;
    made.rules = std::move(rules);
    return made;
}

Opening tcp_from(const std::string& source, std::uint16_t port,
                 const std::string& interface = "eth0") {
    Opening opening;
    opening.interface = interface;
    opening.source = *parse_address(source);
    opening.proto = 6;
    opening.port = port;
    return opening;
}

const Verdict kNoRule{};
Verdict allowed(std::size_t rule) {
    return {.answer = Answer::allowed, .rule = rule};
}
Verdict denied(std::size_t rule) {
    return {.answer = Answer::denied, .rule = rule};
}

} // namespace

TEST_CASE("an empty policy has no rule for anything") {
    CHECK(evaluate(policy({}), tcp_from("10.0.0.1", 22)) == kNoRule);
    CHECK(evaluate(policy({}), tcp_from("fd00::1", 22)) == kNoRule);
}

TEST_CASE("an allow rule matches at both edges of its network and not beyond") {
    const Policy v4 = policy({allow(nets({"10.0.1.0/24"}), tcp(22, 22))});
    CHECK(evaluate(v4, tcp_from("10.0.1.0", 22)) == allowed(0));
    CHECK(evaluate(v4, tcp_from("10.0.1.255", 22)) == allowed(0));
    CHECK(evaluate(v4, tcp_from("10.0.0.255", 22)) == kNoRule);
    CHECK(evaluate(v4, tcp_from("10.0.2.0", 22)) == kNoRule);
    const Policy v6 = policy({allow(nets({"fd00:1::/32"}), tcp(22, 22))});
    CHECK(evaluate(v6, tcp_from("fd00:1::", 22)) == allowed(0));
    CHECK(evaluate(v6, tcp_from("fd00:1:ffff:ffff:ffff:ffff:ffff:ffff", 22)) == allowed(0));
    CHECK(evaluate(v6, tcp_from("fd00:2::", 22)) == kNoRule);
    CHECK(evaluate(v6, tcp_from("fd00:0:ffff:ffff:ffff:ffff:ffff:ffff", 22)) == kNoRule);
}

TEST_CASE("everything of one family is nothing of the other") {
    CHECK(evaluate(policy({allow(nets({"::/0"}), kAnything)}), tcp_from("10.0.0.1", 1)) == kNoRule);
    CHECK(evaluate(policy({allow(nets({"0.0.0.0/0"}), kAnything)}), tcp_from("::1", 1)) == kNoRule);
}

TEST_CASE("what a part excepts it does not hold, another part may") {
    PeerSet peers = nets({"10.0.0.0/8"});
    peers.parts[0].except.push_back(nets({"10.0.0.13"}).parts[0].networks);
    CHECK(evaluate(policy({allow(peers, tcp(22, 22))}), tcp_from("10.0.0.13", 22)) == kNoRule);
    CHECK(evaluate(policy({allow(peers, tcp(22, 22))}), tcp_from("10.0.0.12", 22)) == allowed(0));
    peers.parts.push_back(nets({"10.0.0.0/24"}).parts[0]);
    CHECK(evaluate(policy({allow(peers, tcp(22, 22))}), tcp_from("10.0.0.13", 22)) == allowed(0));
}

TEST_CASE("a deny rule goes before every allow rule, however specific") {
    const Policy both =
        policy({allow(nets({"10.0.0.1"}), tcp(23, 23)), deny(any_peer(), kAnything)});
    CHECK(evaluate(both, tcp_from("10.0.0.1", 23)) == denied(1));
    const Policy beside =
        policy({allow(nets({"10.0.0.1"}), tcp(23, 23)), deny(any_peer(), tcp(24, 24))});
    CHECK(evaluate(beside, tcp_from("10.0.0.1", 23)) == allowed(0));
    CHECK(evaluate(beside, tcp_from("10.0.0.1", 24)) == denied(1));
}

TEST_CASE("the most specific prefix names the rule, before protocol and ports") {
    const Policy rules = policy({allow(nets({"10.0.0.0/8"}), tcp(22, 22)),
                                 allow(nets({"10.0.0.0/8", "10.1.0.0/16"}), kAnything)});
    CHECK(evaluate(rules, tcp_from("10.1.0.1", 22)) == allowed(1));
    CHECK(evaluate(rules, tcp_from("10.2.0.1", 22)) == allowed(0)); // equal prefix: named protocol
}

TEST_CASE("of equal prefixes the narrowest range names the rule, then file order") {
    const Policy rules = policy({allow(any_peer(), tcp(0, 65535)), allow(any_peer(), tcp(80, 90)),
                                 allow(any_peer(), tcp(85, 95))});
    CHECK(evaluate(rules, tcp_from("10.0.0.1", 79)) == allowed(0));
    CHECK(evaluate(rules, tcp_from("10.0.0.1", 80)) == allowed(1));
    CHECK(evaluate(rules, tcp_from("10.0.0.1", 85)) == allowed(1));
    CHECK(evaluate(rules, tcp_from("10.0.0.1", 95)) == allowed(2));
}

TEST_CASE("a rule with an identity goes before one without, whatever the order") {
    Rule anyone = allow({}, tcp(443, 443));
    anyone.direction = Direction::egress;
    anyone.to = any_peer();
    Rule mine = anyone;
    mine.identity.unit = "rag.service";
    const Policy rules = policy({anyone, mine});
    Opening opening = tcp_from("::", 443);
    opening.direction = Direction::egress;
    opening.destination = *parse_address("192.0.2.1");
    opening.cgroup = "/system.slice/rag.service";
    CHECK(evaluate(rules, opening) == allowed(1));
    opening.cgroup = "/system.slice/web.service";
    CHECK(evaluate(rules, opening) == allowed(0));
    opening.cgroup = "";
    CHECK(evaluate(rules, opening) == allowed(0));
}

TEST_CASE("a rule or part with interfaces matches there and on no unknown one") {
    Rule rule = allow(any_peer(), tcp(22, 22));
    rule.interfaces = {"eth*"};
    Rule part = allow(any_peer(), tcp(22, 22));
    part.from.parts[0].interfaces = {"*"};
    CHECK(evaluate(policy({rule}), tcp_from("10.0.0.1", 22, "eth1")) == allowed(0));
    CHECK(evaluate(policy({rule}), tcp_from("10.0.0.1", 22, "wg0")) == kNoRule);
    CHECK(evaluate(policy({rule}), tcp_from("10.0.0.1", 22, "")) == kNoRule);
    CHECK(evaluate(policy({part}), tcp_from("10.0.0.1", 22, "wg0")) == allowed(0));
    CHECK(evaluate(policy({part}), tcp_from("10.0.0.1", 22, "")) == kNoRule);
}

TEST_CASE("rules of one direction say nothing of another") {
    Rule rule = allow(any_peer(), kAnything);
    rule.to = any_peer();
    for (const Direction mine : {Direction::ingress, Direction::egress, Direction::forward})
        for (const Direction asked : {Direction::ingress, Direction::egress, Direction::forward}) {
            rule.direction = mine;
            Opening opening = tcp_from("10.0.0.1", 22);
            opening.direction = asked;
            opening.destination = *parse_address("10.0.0.2");
            CHECK((evaluate(policy({rule}), opening) == allowed(0)) == (mine == asked));
        }
}

TEST_CASE("forward asks both ends, and the source's prefix counts first") {
    Rule by_source = allow(nets({"10.0.0.1"}), tcp(22, 22));
    by_source.direction = Direction::forward;
    by_source.to = any_peer();
    Rule by_target = allow(nets({"10.0.0.0/8"}), tcp(22, 22));
    by_target.direction = Direction::forward;
    by_target.to = nets({"10.9.0.9"});
    const Policy rules = policy({by_target, by_source});
    Opening opening = tcp_from("10.0.0.1", 22);
    opening.direction = Direction::forward;
    opening.destination = *parse_address("10.9.0.9");
    CHECK(evaluate(rules, opening) == allowed(1));
    opening.source = *parse_address("10.0.0.2");
    CHECK(evaluate(rules, opening) == allowed(0));
    opening.destination = *parse_address("10.9.0.8");
    CHECK(evaluate(rules, opening) == kNoRule);
}

TEST_CASE("peers hold what any part holds, nobody holds nothing") {
    CHECK(matches(any_peer(), *parse_address("10.0.0.1"), ""));
    CHECK(matches(any_peer(), *parse_address("fd00::1"), ""));
    CHECK_FALSE(matches({}, *parse_address("10.0.0.1"), "eth0"));
    CHECK_FALSE(matches(nets({}), *parse_address("10.0.0.1"), "eth0"));
}

TEST_CASE("any protocol opens no ICMP but echo requests, and denies every type") {
    const auto asked = [](std::uint8_t proto, std::uint16_t type) {
        Opening opening = tcp_from(proto == 1 ? "10.0.0.1" : "fd00::1", type);
        opening.proto = proto;
        return opening;
    };
    const PeerSet all = nets({"0.0.0.0/0", "::/0"});
    const Policy open = policy({allow(all, kAnything)});
    const Policy shut = policy({allow(all, {.any_protocol = false,
                                            .ranges = {{.proto = 1, .low = 0, .high = 255},
                                                       {.proto = 58, .low = 0, .high = 255}}}),
                                deny(all, kAnything)});
    for (std::uint16_t type = 0; type < 256; ++type) {
        CHECK(evaluate(open, asked(1, type)) == (type == 8 ? allowed(0) : kNoRule));
        CHECK(evaluate(open, asked(58, type)) == (type == 128 ? allowed(0) : kNoRule));
        CHECK(evaluate(shut, asked(1, type)) == denied(1));
        CHECK(evaluate(shut, asked(58, type)) == denied(1));
    }
}

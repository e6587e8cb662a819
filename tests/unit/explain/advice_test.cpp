// SPDX-License-Identifier: Apache-2.0
// The rule that is suggested is one that the parser takes, for that packet and no more; and
// where no rule helps none is suggested.
#include "explain/advice.h"
#include "sallyport/abi/event.h"
#include "sallyport/abi/reason.h"
#include "support/policy_text.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

using namespace sallyport;
using namespace sallyport::explain;

namespace {

AskedPacket packet_of(const std::string& text) {
    const Result<AskedWords> asked = parse_question(text);
    if (!asked || !asked->packet) FAIL(text);
    return *asked->packet;
}

Rule rule_of(std::uint32_t direction, const std::string& text, const Sender& sender = {},
             const PolicyPlace& place = {}) {
    const Policy policy = test::parsed(smallest_rule(direction, packet_of(text), sender, place));
    REQUIRE(policy.rules.size() == 1);
    return policy.rules.front();
}

TEST_CASE("the smallest rule is for these addresses, this protocol and this port") {
    const Rule in = rule_of(SP_INGRESS, "in tcp 10.0.0.5:40000 > 10.0.1.5:22");
    CHECK(in.direction == Direction::ingress);
    CHECK(in.name == "tcp 22 from 10.0.0.5");
    CHECK(in.services.ranges == std::vector<ServiceRange>{{.proto = 6, .low = 22, .high = 22}});
    REQUIRE(in.from.parts.size() == 1);
    CHECK(to_string(in.from.parts[0].networks->at(0)) == "10.0.0.5");
    CHECK(in.to.parts.empty());

    const Rule on = rule_of(SP_FORWARD, "forward udp-lite [fd00::5]:1 > [fd00::1]:53");
    CHECK(on.direction == Direction::forward);
    CHECK(on.services.ranges == std::vector<ServiceRange>{{.proto = 136, .low = 53, .high = 53}});
    CHECK(to_string(on.from.parts[0].networks->at(0)) == "fd00::5");
    CHECK(to_string(on.to.parts[0].networks->at(0)) == "fd00::1");
}

TEST_CASE("every protocol and family has a rule that the parser takes") {
    for (const std::uint32_t direction : {SP_INGRESS, SP_EGRESS, SP_FORWARD})
        for (const std::string text :
             {"in tcp 10.0.0.5 > 10.0.1.5:1", "in tcp fd00::5 > [fd00::1]:65535",
              "in sctp 10.0.0.5 > 10.0.1.5:7", "in udp fd00::5 > [fd00::1]:7",
              "in icmp 10.0.0.5 > 10.0.1.5", "in icmp fd00::5 > fd00::1",
              "in icmp 10.0.0.5 > 10.0.1.5 type 13", "in 47 10.0.0.5 > 10.0.1.5",
              "in 0 10.0.0.5 > 10.0.1.5", "in 255 fd00::5 > fd00::1"}) {
            INFO(text);
            CHECK_FALSE(rule_of(direction, text).deny);
        }
}

TEST_CASE("who sends is in the rule, as a string that cannot break out of it") {
    const std::string out = "out tcp 10.0.1.5 > 10.0.2.10:5432";
    CHECK(rule_of(SP_EGRESS, out, {.unit = "rag.service", .cgroup = "/a/rag.service", .user = {}})
              .identity.unit == "rag.service");
    CHECK(rule_of(SP_EGRESS, out, {.unit = {}, .cgroup = "/a/b", .user = {}}).identity.cgroup ==
          "/a/b");
    CHECK(rule_of(SP_EGRESS, out, {.unit = {}, .cgroup = {}, .user = 4711}).identity.user == 4711u);
    const std::string hostile =
        smallest_rule(SP_EGRESS, packet_of(out),
                      {.unit = "a\"\nports = [1]\\\x01.service", .cgroup = {}, .user = {}}, {});
    CHECK(hostile.find("\nports = [1]") == std::string::npos);
    CHECK(hostile.find('\x01') == std::string::npos);
}

TEST_CASE("the name of a rule that is there already is not given twice") {
    PolicyPlace place;
    place.rules["tcp 22 from 10.0.0.5"] = {};
    place.numbered.push_back({.name = "tcp 22 from 10.0.0.5 2", .direction = Direction::ingress});
    CHECK(rule_of(SP_INGRESS, "in tcp 10.0.0.5 > 10.0.1.5:22", {}, place).name ==
          "tcp 22 from 10.0.0.5 3");
}

TEST_CASE("what no rule opens has no rule") {
    for (const char* text :
         {"in icmp 10.0.0.5 > 10.0.1.5 type 3", "in icmp 10.0.0.5 > 10.0.1.5 type 4",
          "in icmp fd00::5 > fd00::1 type 134", "in tcp 10.0.0.5 > 10.0.1.5:0"})
        CHECK(smallest_rule(SP_INGRESS, packet_of(text), {}, {}).empty());
}

TEST_CASE("every reason has an advice, and a rule only where a rule decides") {
    for (std::uint32_t reason = 1; reason < SP_REASON_END; ++reason) {
        Dropped dropped{.reason = reason, .direction = SP_INGRESS};
        dropped.packet = packet_of("in tcp 10.0.0.5 > 10.0.1.5:22");
        const Advice advice = advise(dropped, {});
        CHECK_FALSE(advice.text.empty());
        const bool by_rule =
            reason == SP_REASON_NO_RULE || reason == SP_REASON_METADATA || reason == SP_REASON_CUT;
        CHECK(advice.toml.empty() != by_rule);
    }
}

TEST_CASE("a segment without its flow: the rule is for its opening, when that has none") {
    Dropped dropped{.reason = SP_REASON_NO_FLOW, .direction = SP_INGRESS};
    dropped.packet = packet_of("in tcp 10.0.0.5 > 10.0.1.5:22 ack");
    dropped.opening_passes = true;
    CHECK(advise(dropped, {}).toml.empty());
    dropped.opening_passes = false;
    CHECK(advise(dropped, {}).toml.find("ports = [22]") != std::string::npos);
}

} // namespace

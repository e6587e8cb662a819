// SPDX-License-Identifier: Apache-2.0
// What is learned is no wider than what was seen, whatever others send.
#include "unit/learn/learned.h"

using namespace sallyport;
using namespace sallyport::learn;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("what came to port 0, or to no port that was told, opens no other port either") {
    const std::vector<Served> all{{.proto = kTcp, .low = 0, .high = 65535, .v4 = true, .v6 = true},
                                  {.proto = kUdp, .low = 0, .high = 65535, .v4 = true, .v6 = true}};
    for (const Direction direction : {Direction::ingress, Direction::egress, Direction::forward})
        for (const std::uint8_t proto : std::initializer_list<std::uint8_t>{6, 17, 132, 136})
            for (const bool is_v4 : {true, false})
                for (const bool is_told : {true, false})
                    for (const bool knows : {true, false}) {
                        Event one = event(direction, is_v4 ? "10.0.0.7" : "fd00:10::7",
                                          is_v4 ? "10.0.1.5" : "fd00:10::5", 0, proto);
                        one.repeats = 9;
                        one.uid = 1001;
                        if (!is_told) one.dst_port = std::nullopt;
                        Seen seen;
                        if (knows) seen.serve(all);
                        seen.add(one);
                        const Learned none = learned(seen);
                        CHECK(none.findings.rules.empty());
                        CHECK(none.findings.left_for(Why::no_port) == 1);
                        one.dst_port = 443;
                        Seen named;
                        named.add(one);
                        CHECK(learned(named).only().service.port == 443);
                    }
    // As its answer tells it, and of ICMP the type.
    Event answer = event(Direction::ingress, "10.0.1.5", "10.0.0.7", 50000);
    answer.src_port = 0;
    answer.hook = SP_HOOK_CGROUP;
    answer.reason = SP_REASON_CUT;
    answer.tcp_flags = 0x10;
    Event icmp = event(Direction::ingress, "10.0.0.7", "10.0.1.5", 0, 1);
    const Learned none = learned_of({answer, icmp}, all);
    CHECK(none.findings.rules.empty());
    CHECK(none.findings.left_for(Why::no_port) == 2);
    CHECK_THAT(none.text, ContainsSubstring("ingress icmp from 10.0.0.7"));
}

TEST_CASE("a port that an event tells of a protocol without ports is not written") {
    for (const Direction direction : {Direction::ingress, Direction::egress, Direction::forward}) {
        Event dccp = event(direction, "10.0.0.7", "10.0.1.5", 80, 33);
        dccp.repeats = 9;
        dccp.uid = 1001;
        const Learned result = learned_of({dccp});
        CHECK(result.only().service.port == 0);
        CHECK_THAT(result.text, ContainsSubstring("proto = 33\n") && !ContainsSubstring("ports"));
    }
}

TEST_CASE("forged probes do not take the rule of the administrator or of the session away") {
    const std::string zones = "[zones]\nadmin = [\"10.9.0.0/24\", \"fd00:9::/64\"]\n";
    for (const std::string source : {"10.9.0.7", "fd00:9::7"})
        for (const bool is_zone : {true, false}) {
            std::vector<Event> events{coming(source, 22, 5)};
            for (std::uint16_t port = 1000; port < 1016; ++port)
                events.push_back(coming(source, port, 5));
            LearnOptions options;
            if (!is_zone) options.session = {address(source)};
            const std::string rules = is_zone ? zones : "";
            const std::vector<Served> served{serving(22, Circle::inside)};
            const Learned result = learned_of(events, served, rules, options);
            CHECK(result.only().from == Texts{is_zone ? "admin" : source});
            CHECK(result.only().service.port == 22);
            CHECK(result.findings.left_for(Why::scanner) == 0);
            CHECK(result.findings.left_for(Why::closed_port) == 16);
            CHECK_THAT(result.text, ContainsSubstring("# ATTENTION: " + source + " touched many"));
            // An address that nobody knows is still a scanner's; who does not scan is not warned
            // of.
            CHECK(learned_of(events, served).findings.rules.empty());
            CHECK_THAT(learned_of({events.front()}, served, rules, options).text,
                       !ContainsSubstring("touched many"));
            Seen unknown; // who listens
            for (const Event& one : events) unknown.add(one);
            const Findings all = learned(unknown, rules, options).findings;
            CHECK(std::ranges::count(all.rules, 22, [](const LearnedRule& rule) {
                      return rule.service.port;
                  }) == 1);
        }
}

TEST_CASE("what scanners touch comes last when rules are too many") {
    const std::string zones = "[zones]\nadmin = [\"10.9.0.0/24\"]\n";
    Seen seen;
    for (std::uint16_t port = 1; port <= 40; ++port) seen.add(coming("10.9.0.7", port));
    seen.add(coming("10.0.0.8", 8080));
    seen.add(going("10.0.2.10", 5432));
    LearnOptions options;
    options.rules = 5;
    const Findings found = learned(seen, zones, options).findings;
    CHECK(found.rules.size() == 5);
    CHECK(std::ranges::count(found.rules, 8080,
                             [](const LearnedRule& rule) { return rule.service.port; }) == 1);
    CHECK(std::ranges::count(found.rules, Direction::egress,
                             [](const LearnedRule& rule) { return rule.service.direction; }) == 1);
    CHECK(found.left_for(Why::too_many) == 37);
}

TEST_CASE("a rule that lets in more than was seen is found out") {
    for (const std::string source : {"10.0.0.7", "fd00:10::7"}) {
        const Learned in = learned_of({coming(source, 8080)}, {serving(8080)});
        const Learned out = learned_of({going(source, 5432)});
        const auto is_wide = [](const Learned& one, const std::string& was,
                                const std::string& becomes) {
            std::string text = one.text;
            const std::size_t at = text.rfind(was);
            REQUIRE(at != text.npos);
            text.replace(at, was.size(), becomes);
            return !overreach(one.findings, parsed(text)).empty();
        };
        CHECK(is_wide(in, "ports = [8080]\n", ""));
        CHECK(is_wide(in, "ports = [8080]", "ports = [8080, 8081]"));
        CHECK(is_wide(in, "proto = \"tcp\"\nports = [8080]", "proto = \"any\""));
        CHECK(is_wide(in, "from = [\"" + source + "\"]", "from = \"any\""));
        CHECK(is_wide(in, "[\"" + source + "\"]",
                      source == "10.0.0.7" ? "[\"10.0.0.6/31\"]" : "[\"fd00:10::6/127\"]"));
        CHECK(is_wide(in, "interfaces = [\"eth0\"]\n", ""));
        CHECK(is_wide(out, "unit = \"rag.service\"\n", ""));
        CHECK(is_wide(out, "to = [\"" + source + "\"]", "to = \"any\""));
        CHECK(!is_wide(in, "ports = [8080]", "ports = [8080]"));
    }
}

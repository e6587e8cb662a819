// SPDX-License-Identifier: Apache-2.0
#include "import/import.h"
#include "policy/evaluate.h"
#include "unit/config/world.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>

using namespace sallyport;
using imported::Family;
using imported::Finding;

namespace {

const std::string kOpenOut = "-A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT\n";

// An INPUT chain; what leaves is whatever INPUT answers.
std::string input(const std::string& policy, const std::string& rules,
                  const std::string& chains = "") {
    return "*filter\n:INPUT " + policy + " [0:0]\n:OUTPUT DROP [0:0]\n:FORWARD DROP [0:0]\n" +
           chains + kOpenOut + rules +
           "-A OUTPUT -m state --state ESTABLISHED,RELATED -j ACCEPT\nCOMMIT\n";
}

imported::Imported imported_of(const std::string& text, const imported::Options& options = {}) {
    Result<imported::Imported> done = imported::import_iptables(text, Family::v4, "", options);
    if (!done) FAIL(done.error().text());
    return *std::move(done);
}

Policy policy_of(const imported::Imported& done) {
    INFO(done.policy);
    const config_test::World world;
    ParsedPolicy parsed = parse_policy(done.policy, "imported.toml", world.view());
    for (const Diagnostic& diagnostic : parsed.diagnostics) UNSCOPED_INFO(to_text(diagnostic));
    REQUIRE(parsed.policy);
    return *std::move(parsed.policy);
}

bool lets_in(const Policy& policy, const char* from, std::uint16_t port, std::uint8_t proto = 6) {
    Opening opening;
    opening.interface = "eth0";
    opening.source = *parse_address(from);
    opening.proto = proto;
    opening.port = port;
    return evaluate(policy, opening).answer == Answer::allowed;
}

bool lets_in(const imported::Imported& done, const char* from, std::uint16_t port) {
    return lets_in(policy_of(done), from, port);
}

std::size_t count(const imported::Imported& done, Finding::Sort sort) {
    return static_cast<std::size_t>(std::ranges::count(done.findings, sort, &Finding::sort));
}

} // namespace

TEST_CASE("a drop before an accept shuts, and one behind it does not") {
    const auto before = imported_of(
        input("DROP", "-A INPUT -s 10.0.0.0/24 -j DROP\n-A INPUT -p tcp --dport 22 -j ACCEPT\n"));
    CHECK(before.is_whole());
    CHECK(!lets_in(before, "10.0.0.9", 22));
    CHECK(lets_in(before, "10.0.1.9", 22));
    const auto behind = imported_of(
        input("DROP", "-A INPUT -p tcp --dport 22 -j ACCEPT\n-A INPUT -s 10.0.0.0/24 -j DROP\n"));
    CHECK(lets_in(behind, "10.0.0.9", 22));
}

TEST_CASE("an exception before a broader drop is neither shadowed nor too wide") {
    const auto done = imported_of(input("DROP", "-A INPUT -s 10.0.0.9 -p tcp --dport 22 -j ACCEPT\n"
                                                "-A INPUT -s 10.0.0.0/24 -j DROP\n"
                                                "-A INPUT -p tcp --dport 22:80 -j ACCEPT\n"));
    CHECK(done.is_whole());
    CHECK(lets_in(done, "10.0.0.9", 22));
    CHECK(!lets_in(done, "10.0.0.9", 80));
    CHECK(!lets_in(done, "10.0.0.8", 22));
    CHECK(lets_in(done, "10.0.1.8", 80));
}

TEST_CASE("chains are followed: jumps, returns, goto, and what returns from these") {
    const std::string chains = ":one - [0:0]\n:two - [0:0]\n";
    const auto done = imported_of(input("DROP",
                                        "-A INPUT -p tcp -g one\n"
                                        "-A INPUT -p tcp --dport 99 -j ACCEPT\n"
                                        "-A INPUT -p udp --dport 53 -j ACCEPT\n"
                                        "-A one -s 10.0.0.0/8 -j RETURN\n"
                                        "-A one -p tcp --dport 80 -j two\n"
                                        "-A one -p tcp --dport 81 -j ACCEPT\n"
                                        "-A two -s 192.0.2.0/24 -j DROP\n"
                                        "-A two -j ACCEPT\n",
                                        chains));
    CHECK(done.is_whole());
    CHECK(lets_in(done, "198.51.100.1", 80));
    CHECK(!lets_in(done, "192.0.2.1", 80));
    CHECK(lets_in(done, "192.0.2.1", 81));
    CHECK(!lets_in(done, "10.0.0.1", 81));
    CHECK(!lets_in(done, "198.51.100.1", 99)); // goto does not come back here
    CHECK(lets_in(policy_of(done), "10.0.0.1", 53, 17));
}

TEST_CASE("a match that is not known opens nothing, and shuts all that it might") {
    const auto opened = imported_of(
        input("DROP", "-A INPUT -p tcp --dport 80 -m string --string x --algo bm -j ACCEPT\n"));
    CHECK(count(opened, Finding::Sort::not_carried) == 1);
    CHECK(!lets_in(opened, "10.0.0.1", 80));
    const std::string text =
        input("DROP", "-A INPUT -p tcp --dport 80 -m string --string x --algo bm -j DROP\n"
                      "-A INPUT -p tcp -j ACCEPT\n");
    const auto shut = imported_of(text);
    CHECK(count(shut, Finding::Sort::narrowed) == 1);
    CHECK(!lets_in(shut, "10.0.0.1", 80));
    CHECK(lets_in(shut, "10.0.0.1", 81));
    imported::Options options;
    options.ignore = {6};
    const auto without = imported_of(text, options);
    CHECK(without.is_whole());
    CHECK(lets_in(without, "10.0.0.1", 80));
}

TEST_CASE("a port that is rewritten is not opened by the rule for its number") {
    const std::string nat =
        "*nat\n:PREROUTING ACCEPT [0:0]\n"
        "-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 172.17.0.2:80\n"
        "COMMIT\n";
    const auto done = imported_of(nat + input("DROP", "-A INPUT -p tcp --dport 79:81 -j ACCEPT\n"));
    CHECK(count(done, Finding::Sort::not_carried) == 1);
    CHECK(!lets_in(done, "10.0.0.1", 80));
    CHECK(lets_in(done, "10.0.0.1", 81));
}

TEST_CASE("nothing is opened whose answers the source drops") {
    const std::string text =
        "*filter\n:INPUT DROP [0:0]\n:OUTPUT DROP [0:0]\n:FORWARD DROP [0:0]\n" + kOpenOut +
        "-A INPUT -p tcp --dport 22 -j ACCEPT\n"
        "-A INPUT -p tcp --dport 80 -j ACCEPT\n"
        "-A OUTPUT -p tcp --sport 22 -j ACCEPT\nCOMMIT\n";
    const auto done = imported_of(text);
    CHECK(lets_in(done, "10.0.0.1", 22));
    CHECK(!lets_in(done, "10.0.0.1", 80));
    CHECK(count(done, Finding::Sort::not_carried) >= 1);
}

TEST_CASE("a limit for several rules is shared between them") {
    const auto done = imported_of(input(
        "DROP", "-A INPUT -p tcp -m state --state NEW -m multiport --dports 80,443 -m hashlimit "
                "--hashlimit-above 20/min --hashlimit-burst 10 --hashlimit-mode srcip "
                "--hashlimit-name w -j DROP\n"
                "-A INPUT -p tcp --dport 80 -j ACCEPT\n-A INPUT -p tcp --dport 443 -j ACCEPT\n"));
    CHECK(count(done, Finding::Sort::narrowed) == 1);
    const Policy policy = policy_of(done);
    REQUIRE(policy.rules.size() == 2);
    for (const Rule& rule : policy.rules) {
        REQUIRE(rule.limit);
        CHECK(rule.limit->rate.count == 10);
        CHECK(rule.limit->burst == 5);
    }
}

TEST_CASE("recent counts the packet it checks only where it was set before") {
    const std::string check = "-A INPUT -p tcp --dport 80 -m state --state NEW -m recent --update "
                              "--seconds 60 --hitcount 20 --name W --rsource -j DROP\n";
    const std::string set =
        "-A INPUT -p tcp --dport 80 -m state --state NEW -m recent --set --name W --rsource\n";
    const std::string open = "-A INPUT -p tcp --dport 80 -j ACCEPT\n";
    for (const auto& [rules, most] :
         {std::pair{set + check + open, 19u}, {check + set + open, 20u}}) {
        const auto done = imported_of(input("DROP", rules));
        CHECK(done.is_whole());
        const Policy policy = policy_of(done);
        REQUIRE(policy.rules.size() == 1);
        REQUIRE(policy.rules[0].limit);
        CHECK(policy.rules[0].limit->rate.count == most);
        CHECK(policy.rules[0].limit->window);
    }
}

TEST_CASE("words of a rule set stay within the strings and comments of the policy") {
    const auto done = imported_of(
        input("DROP", "-A INPUT -p tcp --dport 22 -m comment --comment \"a\\\" b\\\\ = [x]\x1b[31m "
                      "\xff \xe2\x80\xae'''\" -j ACCEPT\n"));
    CHECK(done.is_whole());
    CHECK(policy_of(done).rules.size() == 1);
    CHECK(done.policy.find('\x1b') == std::string::npos);
    CHECK(lets_in(done, "10.0.0.1", 22));
}

TEST_CASE("what is no whole rule set is refused") {
    for (const std::string& text : std::vector<std::string>{
             std::string(), std::string("\n# nothing\n"), std::string("\x7f\x45LF\0\1", 6),
             std::string("hello world\n"), std::string("*filter\n:INPUT DROP [0:0]\n"),
             std::string("*filter\n-A INPUT -m comment --comment \"open -j ACCEPT\nCOMMIT\n"),
             std::string("*filter\n:INPUT MAYBE [0:0]\nCOMMIT\n"),
             std::string("*filter\n-A INPUT -j nowhere\nCOMMIT\n"),
             std::string("*filter\n:INPUT DROP\n:a -\n-A INPUT -j a\n-A a -j a\nCOMMIT\n")}) {
        INFO(text);
        const auto done = imported::import_iptables(text, Family::v4, "", {});
        REQUIRE(!done);
        CHECK(done.error().kind == ErrorKind::invalid_input);
    }
}

TEST_CASE("an accept under -m limit lets in no more than the rate, from all sources together") {
    const auto done = imported_of(input("DROP", "-A INPUT -p tcp -m tcp --dport 80 -m limit "
                                                "--limit 10/min --limit-burst 7 -j ACCEPT\n"));
    const Policy policy = policy_of(done);
    REQUIRE(policy.rules.size() == 1);
    REQUIRE(policy.rules[0].limit);
    const Limit& limit = *policy.rules[0].limit;
    REQUIRE(limit.total);
    // A source alone may not have more than all of them had, at once or in a minute.
    CHECK(limit.total->count == 7);
    CHECK(limit.total->per == std::chrono::seconds(42)); // ten a minute, and seven at once
    CHECK(limit.rate == *limit.total);
    CHECK(limit.burst == 7);
    CHECK(lets_in(policy, "192.0.2.1", 80));
    CHECK_FALSE(lets_in(policy, "192.0.2.1", 81));
}

TEST_CASE("a LOG before an accept makes the accept's rule log, and no other") {
    const auto done =
        imported_of(input("DROP", "-A INPUT -p tcp -m tcp --dport 22 -m state --state NEW -j LOG "
                                  "--log-prefix \"ssh \"\n"
                                  "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n"
                                  "-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT\n"));
    const Policy policy = policy_of(done);
    REQUIRE(policy.rules.size() == 2);
    for (const Rule& rule : policy.rules)
        CHECK(rule.log_new == (rule.services.ranges.front().low == 22));
    CHECK(lets_in(policy, "192.0.2.1", 22));
    const auto behind = imported_of(input("DROP", "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n"
                                                  "-A INPUT -p tcp -m tcp --dport 22 -j LOG\n"));
    CHECK_FALSE(policy_of(behind).rules.at(0).log_new); // it hears of none that was accepted
}

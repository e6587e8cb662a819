// SPDX-License-Identifier: Apache-2.0
#include "import/import.h"
#include "policy/evaluate.h"
#include "unit/config/world.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using imported::Finding;

namespace {

const std::string kKnown =
    R"({"match":{"op":"in","left":{"ct":{"key":"state"}},"right":["established","related"]}},{"accept":null})";

std::string chain(const std::string& name, const std::string& hook, const std::string& policy,
                  const std::string& prio = "0") {
    return R"({"chain":{"family":"inet","table":"t","name":")" + name +
           R"(","type":"filter","hook":")" + hook + R"(","prio":)" + prio + R"(,"policy":")" +
           policy + "\"}},";
}

std::string rule(const std::string& in, const std::string& expressions) {
    return R"({"rule":{"family":"inet","table":"t","chain":")" + in + R"(","handle":1,"expr":[)" +
           expressions + "]}},";
}

std::string port(int number) {
    return R"({"match":{"op":"==","left":{"payload":{"protocol":"tcp","field":"dport"}},"right":)" +
           std::to_string(number) + "}},";
}

// Rules of an input chain, and objects besides.
imported::Imported imported_of(const std::string& rules, const std::string& besides = "") {
    const std::string text = R"({"nftables":[)" + besides + chain("input", "input", "drop") +
                             chain("output", "output", "drop") +
                             chain("forward", "forward", "drop") + rule("input", kKnown) +
                             rule("output", kKnown) + rules + "{}]}";
    Result<imported::Imported> done = imported::import_nft(text, {});
    if (!done) FAIL(done.error().text());
    return *std::move(done);
}

bool lets_in(const imported::Imported& done, const char* from, std::uint16_t number) {
    INFO(done.policy);
    const config_test::World world;
    const ParsedPolicy parsed = parse_policy(done.policy, "p.toml", world.view());
    for (const Diagnostic& diagnostic : parsed.diagnostics) UNSCOPED_INFO(to_text(diagnostic));
    REQUIRE(parsed.policy);
    Opening opening;
    opening.interface = "eth0";
    opening.source = *parse_address(from);
    opening.proto = 6;
    opening.port = number;
    return evaluate(*parsed.policy, opening).answer == Answer::allowed;
}

} // namespace

TEST_CASE("a rule of an inet table is one rule for both families") {
    const auto done = imported_of(rule("input", port(22) + R"({"accept":null})"));
    CHECK(done.is_whole());
    CHECK(done.rules == 1);
    CHECK(lets_in(done, "10.0.0.1", 22));
    CHECK(lets_in(done, "fd00::1", 22));
    CHECK(!lets_in(done, "10.0.0.1", 23));
}

TEST_CASE("what one base chain accepts the next one may drop") {
    const auto done = imported_of(
        rule("input", port(22) + R"({"accept":null})") +
            rule("late", port(22) + R"({"match":{"op":"==","left":{"payload":{"protocol":"ip",)"
                                    R"("field":"saddr"}},"right":"10.0.0.1"}},{"drop":null})"),
        chain("late", "input", "accept", "10"));
    CHECK(!lets_in(done, "10.0.0.1", 22));
    CHECK(lets_in(done, "10.0.0.2", 22));
}

TEST_CASE("sets, intervals, pairs and maps to verdicts hold what they list") {
    const std::string sets =
        R"({"set":{"family":"inet","table":"t","name":"s","type":"ipv4_addr","elem":[{"prefix":{"addr":"10.1.0.0","len":16}},{"range":["10.2.0.1","10.2.0.9"]}]}},)"
        R"({"map":{"family":"inet","table":"t","name":"m","type":"inet_service","map":"verdict","elem":[[80,{"accept":null}],[81,{"drop":null}]]}},)";
    const auto done = imported_of(
        rule(
            "input",
            port(22) +
                R"({"match":{"op":"==","left":{"payload":{"protocol":"ip","field":"saddr"}},"right":"@s"}},{"accept":null})") +
            rule("input",
                 R"({"vmap":{"key":{"payload":{"protocol":"tcp","field":"dport"}},"data":"@m"}})") +
            rule(
                "input",
                R"({"match":{"op":"==","left":{"concat":[{"payload":{"protocol":"ip","field":"saddr"}},)"
                R"({"payload":{"protocol":"tcp","field":"dport"}}]},"right":{"set":[{"concat":["10.9.9.9",90]}]}}},{"accept":null})") +
            rule("input", port(81) + R"({"accept":null})"),
        sets);
    CHECK(lets_in(done, "10.1.2.3", 22));
    CHECK(lets_in(done, "10.2.0.9", 22));
    CHECK(!lets_in(done, "10.2.0.10", 22));
    CHECK(lets_in(done, "10.7.7.7", 80));
    CHECK(!lets_in(done, "10.7.7.7", 81));
    CHECK(lets_in(done, "10.9.9.9", 90));
    CHECK(!lets_in(done, "10.9.9.8", 90));
}

TEST_CASE("an expression that is not known opens nothing, and shuts what it might") {
    const std::string odd = R"({"match":{"op":"==","left":{"meta":{"key":"mark"}},"right":7}},)";
    const auto opened = imported_of(rule("input", port(22) + odd + R"({"accept":null})"));
    CHECK(!opened.is_whole());
    CHECK(!lets_in(opened, "10.0.0.1", 22));
    const auto shut = imported_of(rule("input", port(22) + odd + R"({"drop":null})") +
                                  rule("input", port(22) + R"({"accept":null})") +
                                  rule("input", port(23) + R"({"accept":null})"));
    CHECK(!shut.is_whole());
    CHECK(!lets_in(shut, "10.0.0.1", 22));
    CHECK(lets_in(shut, "10.0.0.1", 23));
}

TEST_CASE("what judges frames is listed, since what it drops is not dropped here") {
    const auto done = imported_of(
        rule("input", port(22) + R"({"accept":null})"),
        R"({"chain":{"family":"netdev","table":"n","name":"i","type":"filter","hook":"ingress","prio":0,"policy":"accept"}},)");
    CHECK(std::ranges::any_of(done.findings, [](const Finding& finding) {
        return finding.sort == Finding::Sort::not_carried && finding.text == "chain netdev n i";
    }));
}

TEST_CASE("JSON that is no listing of nft's is refused") {
    for (const std::string& text : std::vector<std::string>{
             "", "{", "[]", "{\"nftables\":3}", R"({"nftables":[]})",
             R"({"nftables":[{"chain":7}]})", R"({"nftables":["x"]})", std::string(100000, '['),
             R"({"nftables":)" + std::string(100000, '[') + std::string(100000, ']') + "}",
             R"({"nftables":[{"rule":{"family":"inet","expr":[{"match":1}]}}]})"}) {
        INFO(text.substr(0, 80));
        const auto done = imported::import_nft(text, {});
        REQUIRE(!done);
        CHECK(done.error().kind == ErrorKind::invalid_input);
    }
}

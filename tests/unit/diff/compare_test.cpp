// SPDX-License-Identifier: Apache-2.0
// What a change of policy means, in the words that an operator reads.
#include "diff/compare.h"
#include "diff/tell.h"
#include "support/policy_text.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using namespace sallyport;
using namespace sallyport::diff;
using Catch::Matchers::ContainsSubstring;

namespace {

struct Told {
    bool is_any = false;
    std::string text;
    nlohmann::ordered_json json;
};

Told told(const std::string& before, const std::string& after, const std::string& host = "") {
    const Policy was = test::parsed(before);
    const Policy is = test::parsed(after, host);
    const Space space(was, is);
    const Difference difference = compare(space);
    return {.is_any = difference.is_any(),
            .text = to_text(difference, space, {}, {.before = "A", .after = "B"}),
            .json = to_json(difference, space, {}, {.before = "A", .after = "B"})};
}

const std::string kWeb = test::allow_in("web", "10.0.0.0/8 fd00::/8", "tcp", "80");

} // namespace

TEST_CASE("a rule that is renamed, moved or written otherwise is no difference in meaning") {
    const std::string other = test::allow_in("dns", "any", "udp", "53");
    const Told same =
        told(kWeb + other,
             other + test::allow_in("site", "10.0.0.0/9 10.128.0.0/9 fd00::/8", "tcp", "80"));
    CHECK_FALSE(same.is_any);
    CHECK_THAT(same.text, ContainsSubstring("no difference in meaning"));
    CHECK_THAT(same.text, ContainsSubstring("renamed  ingress  allow \"site\", before \"web\""));
    CHECK(told(kWeb, kWeb + other).is_any);
}

TEST_CASE("what a new rule allows is told but for what was allowed already") {
    const Told more = told(kWeb, kWeb + test::allow_in("all", "10.0.0.0/7 fd00::/8", "tcp", "80"));
    REQUIRE(more.json["allowed"].size() == 1);
    CHECK(more.json["allowed"][0]["from"]["networks"] == nlohmann::json{"11.0.0.0/8"});
    CHECK(more.json["allowed"][0]["services"] == nlohmann::json{"tcp 80"});
    CHECK(more.json["allowed"][0]["by"] == nlohmann::json{"all"});
    CHECK(more.json["forbidden"].empty());
}

TEST_CASE("a rule in the shadow of another allows nothing newly") {
    for (const std::string& shadowed : {test::allow_in("again", "10.0.0.0/16", "tcp", "80"),
                                        test::allow_in("shut", "192.0.2.0/24", "tcp", "23") +
                                            test::deny_in("no telnet", "any", "tcp", "23")}) {
        const Told told_of = told(kWeb, kWeb + shadowed);
        CHECK(told_of.is_any);
        CHECK(told_of.json["allowed"].empty());
        CHECK(told_of.json["forbidden"].empty());
        CHECK_THAT(told_of.text, ContainsSubstring("allows and forbids nothing"));
        CHECK_THAT(told_of.text, ContainsSubstring("nothing is newly allowed or forbidden"));
    }
}

TEST_CASE("a deny rule forbids what was allowed, and no more") {
    const Told less = told(kWeb, kWeb + test::deny_in("not them", "10.1.0.0/16 192.0.2.0/24"));
    REQUIRE(less.json["forbidden"].size() == 1);
    CHECK(less.json["forbidden"][0]["from"]["networks"] == nlohmann::json{"10.1.0.0/16"});
    CHECK(less.json["forbidden"][0]["by"] == nlohmann::json{"not them"});
    CHECK(less.json["forbidden"][0]["instead_of"] == nlohmann::json{"web"});
    CHECK(less.json["allowed"].empty());
}

TEST_CASE("a zone that changed shows in each rule that uses it") {
    const std::string rules = test::allow_in("web", "lan", "tcp", "80") +
                              test::allow_through("through", "lan", "198.51.100.0/24", "udp", "53");
    const auto zone = [](const std::string& nets) { return "[zones]\nlan = [" + nets + "]\n"; };
    const Told moved = told(zone(R"("10.0.0.0/24", "fd00:1::/64")") + rules,
                            zone(R"("10.0.1.0/24", "fd00:1::/64")") + rules);
    REQUIRE(moved.json["allowed"].size() == 2);
    REQUIRE(moved.json["forbidden"].size() == 2);
    for (const auto& one : moved.json["allowed"])
        CHECK(one["from"]["networks"] == nlohmann::json{"10.0.1.0/24"});
    for (const auto& one : moved.json["forbidden"])
        CHECK(one["from"]["networks"] == nlohmann::json{"10.0.0.0/24"});
    CHECK(moved.json["allowed"][1]["to"]["networks"] == nlohmann::json{"198.51.100.0/24"});
    CHECK_THAT(moved.text, ContainsSubstring("changed  ingress  allow \"web\": from"));
}

TEST_CASE("whose sockets a rule is for is told by name") {
    const std::string base = test::allow_out("db", "10.0.2.10", "tcp", "5432");
    const Told narrower = told(base, base + "unit = \"rag.service\"\n");
    REQUIRE(narrower.json["forbidden"].size() == 1);
    CHECK(narrower.json["forbidden"][0]["for"] == "all but unit rag.service");
    CHECK(told(base + "unit = \"rag.service\"\n", base).json["allowed"][0]["for"] ==
          "all but unit rag.service");
    CHECK(told(base + "unit = \"rag.service\"\n", base + "unit = \"web.service\"\n")
              .json["allowed"][0]["for"] == "unit web.service");
}

TEST_CASE("settings are told, limits too, and nothing is called harmless for them") {
    const Told changed = told(kWeb, kWeb + "limit = \"20/minute\"\n", "mode = \"observe\"\n");
    CHECK(changed.json["allowed"].empty());
    CHECK_THAT(changed.text, ContainsSubstring("host.mode: enforce -> observe"));
    CHECK_THAT(changed.text, ContainsSubstring("limit: none, now 20/1m burst 20"));
    for (const Told& one : {changed, told(kWeb, kWeb + "limit = \"20/minute\"\n"),
                            told(kWeb, kWeb + test::essentials("arp = false"))}) {
        CHECK(one.is_any);
        CHECK_THAT(one.text, !ContainsSubstring("nothing is newly") &&
                                 !ContainsSubstring("allows and forbids nothing"));
    }
}

TEST_CASE("a policy that drops nothing is said to, before all else") {
    const Told opened = told(kWeb, kWeb, "mode = \"observe\"\n");
    CHECK(opened.is_any);
    CHECK_THAT(opened.text, ContainsSubstring("EVERYTHING IS NEWLY ALLOWED"));
    CHECK(opened.json["mode"]["before"] == "enforce");
    CHECK(opened.json["mode"]["after"] == "observe");
    Policy observing = test::parsed(kWeb, "mode = \"observe\"\n");
    const Policy enforcing = test::parsed(kWeb);
    const Titles titles{.before = "A", .after = "B"};
    const Space shut(observing, enforcing);
    CHECK_THAT(to_text(compare(shut), shut, {}, titles),
               ContainsSubstring("All that no rule allows is newly forbidden"));
    const Space neither(observing, observing);
    CHECK_THAT(to_text(compare(neither), neither, {}, titles),
               ContainsSubstring("Both drop nothing") &&
                   ContainsSubstring("no difference in meaning"));
    CHECK_THAT(told(kWeb, kWeb).text,
               !ContainsSubstring("nothing:") && !ContainsSubstring("observe"));
}

TEST_CASE("a rule that joins another under a limit may count against it") {
    const std::string slow = kWeb + "limit = \"20/minute\"\n";
    const Told beside = told(slow, slow + test::allow_in("free", "10.0.0.0/16", "tcp", "80"));
    CHECK(beside.json["rules"][0]["touches_limit"] == true);
    CHECK_THAT(beside.text, ContainsSubstring("limits may count otherwise"));
    CHECK(told(slow, slow + test::allow_in("dns", "10.0.0.0/16", "tcp", "53"))
              .json["rules"][0]["touches_limit"] == false);
}

TEST_CASE("where the way out is not compared no rule of it is called harmless") {
    Policy before = test::parsed(kWeb);
    for (int i = 0; i < 30; ++i) {
        Rule rule = test::parsed(test::allow_out("out", "any", "tcp", "80")).rules[0];
        rule.name = "out " + std::to_string(i);
        rule.identity.unit = "unit-" + std::to_string(i) + ".slice";
        before.rules.push_back(rule);
    }
    Policy after = before;
    after.rules.pop_back();
    after.rules.push_back(
        test::parsed(test::allow_in("web again", "10.0.0.0/16", "tcp", "80")).rules[0]);
    const Space space(before, after);
    const Difference difference = compare(space);
    REQUIRE_FALSE(difference.egress_is_compared);
    const Titles titles{.before = "A", .after = "B"};
    const auto json = to_json(difference, space, {}, titles);
    REQUIRE(json["rules"].size() == 2);
    CHECK(json["rules"][0]["felt"] == false); // of the way in, which is compared
    CHECK(json["rules"][1]["name"] == "out 29");
    CHECK(json["rules"][1]["felt"].is_null());
    CHECK_THAT(to_text(difference, space, {}, titles),
               ContainsSubstring("\"out 29\" (what it allows or forbids is not compared)"));
}

TEST_CASE("a NIC that is guarded no more lets in everything") {
    const Policy was = test::parsed(kWeb);
    Policy is = was;
    is.host.interfaces = {"eth1"};
    const Space space(was, is);
    const Difference difference = compare(space);
    const Opening opening{.direction = Direction::ingress,
                          .interface = "eth0",
                          .source = *parse_address("203.0.113.1"),
                          .destination = {},
                          .proto = 6,
                          .port = 22,
                          .cgroup = "",
                          .user = std::nullopt};
    CHECK(std::ranges::any_of(difference.allowed, [&](const Region& region) {
        return space.holds(region, opening) == true;
    }));
}

TEST_CASE("who may ping is told as an opening") {
    const Told fewer = told(kWeb, kWeb + test::essentials("ping = \"none\""));
    REQUIRE_FALSE(fewer.json["forbidden"].empty());
    CHECK(fewer.json["forbidden"][0]["services"] ==
          nlohmann::json{"icmp type 8", "icmpv6 type 128"});
    CHECK(fewer.json["forbidden"][0]["instead_of"] == nlohmann::json{"[essentials] ping"});
}

TEST_CASE("globs that contradict each other make no class") {
    const InterfaceClasses classes({"eth0", "eth*", "wg?"});
    CHECK(classes.count() == 4); // none, eth*, both of eth, wg?
    CHECK(classes.class_of("eth0") != classes.class_of("eth1"));
    CHECK(classes.class_of("eth1") == classes.class_of("eth22"));
    CHECK_FALSE(InterfaceClasses({"*"}).class_of(""));
    CHECK(InterfaceClasses({"*"}).count() == 1);
}

TEST_CASE("globs that combine in many ways are walked for so long and no longer") {
    std::vector<std::string> globs;
    for (char c = 'a'; c < 'a' + 9; ++c) globs.push_back(std::string("*") + c + "*");
    const InterfaceClasses all(globs);
    CHECK_FALSE(all.is_too_many());
    CHECK(all.count() == 512);
    CHECK(all.steps() <= 513 * 10); // of each state and the first, nine letters and another
    for (char c = 'j'; c <= 'z'; ++c) globs.push_back(std::string("*") + c + "*");
    globs.emplace_back("abcdefghijklmno");
    const InterfaceClasses some(globs);
    CHECK(some.is_too_many());
    CHECK(some.steps() <= InterfaceClasses::kMost * 27);
    CHECK(some.count() <= InterfaceClasses::kMost + globs.size());
    CHECK(some.class_of("q0"));
    REQUIRE(some.class_of("abcdefghijklmno")); // no walk came so far
    CHECK(some.is_matched(*some.class_of("abcdefghijklmno"), {"abcdefghijklmno"}));
}

TEST_CASE("where globs combine in too many ways nothing is called the same") {
    Policy policy = test::parsed(kWeb);
    for (char c = 'a'; c <= 'p'; ++c) {
        policy.rules.push_back(policy.rules[0]);
        policy.rules.back().name = c;
        policy.rules.back().interfaces = {std::string("*") + c + "*"};
    }
    Policy more = policy;
    more.rules.back().interfaces = {"*q*"};
    const Titles titles{.before = "A", .after = "B"};
    const Space same(policy, policy);
    CHECK(compare(same).is_any());
    const Space other(policy, more);
    const Difference difference = compare(other);
    CHECK_FALSE(difference.every_interface_is_compared);
    CHECK_THAT(to_text(difference, other, {}, titles),
               ContainsSubstring("Not every interface is compared") &&
                   ContainsSubstring("is not compared)") && !ContainsSubstring("nothing"));
    CHECK(to_json(difference, other, {}, titles)["every_interface_compared"] == false);
}

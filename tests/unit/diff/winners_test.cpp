// SPDX-License-Identifier: Apache-2.0
// Which of two rules decides, and so whose limit and log count: told where it changes, and
// only there.
#include "diff/compare.h"
#include "diff/tell.h"
#include "support/policy_text.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using namespace sallyport;
using namespace sallyport::diff;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::string kLimit = "limit = \"20/minute\"\n";

std::vector<RuleChange> changes(const std::string& before, const std::string& after) {
    const Policy was = test::parsed(before);
    const Policy is = test::parsed(after);
    const Space space(was, is);
    const Difference difference = compare(space);
    CHECK(difference.is_any() == !difference.rules.empty());
    return difference.rules;
}

std::vector<RuleChange> swapped(const std::string& a, const std::string& b) {
    return changes(a + b, b + a);
}

std::string web(const std::string& name, const std::string& from = "10.0.0.0/8",
                const std::string& ports = "80") {
    return test::allow_in(name, from, "tcp", ports);
}

} // namespace

TEST_CASE("of two rules for the same, the later first lets the other's limit count no more") {
    const auto loosened = swapped(web("slow") + kLimit, web("free"));
    REQUIRE(loosened.size() == 1);
    CHECK(loosened[0].kind == RuleChange::Kind::moved);
    CHECK(loosened[0].name == "slow");
    CHECK(loosened[0].touches_limit);
    REQUIRE(loosened[0].fields.size() == 1);
    CHECK_THAT(loosened[0].fields[0], ContainsSubstring("where \"free\" matches as well") &&
                                          ContainsSubstring("limit: 20/1m burst 20") &&
                                          ContainsSubstring("now none"));
    const auto tightened = swapped(web("free"), web("slow") + kLimit);
    REQUIRE(tightened.size() == 1);
    CHECK(tightened[0].name == "free");
    CHECK_THAT(tightened[0].fields[0], ContainsSubstring("limit: none, now 20/1m"));
}

TEST_CASE("a rule that moved says so in words and in JSON, and nothing is called harmless") {
    const Policy was = test::parsed(web("slow") + kLimit + web("free"));
    const Policy is = test::parsed(web("free") + web("slow") + kLimit);
    const Space space(was, is);
    const Difference difference = compare(space);
    const Titles titles{.before = "A", .after = "B"};
    const std::string text = to_text(difference, space, {}, titles);
    CHECK_THAT(text, ContainsSubstring("moved    ingress  allow \"slow\": decides no more"));
    CHECK_THAT(text, !ContainsSubstring("nothing") && ContainsSubstring("may still let"));
    const auto json = to_json(difference, space, {}, titles);
    CHECK(json["differs"] == true);
    CHECK(json["rules"][0]["change"] == "moved");
    CHECK(json["rules"][0]["touches_limit"] == true);
}

TEST_CASE("a log that counts no more is told too, and is no limit") {
    const auto told = swapped(web("loud") + "log = \"new\"\n", web("still"));
    REQUIRE(told.size() == 1);
    CHECK_THAT(told[0].fields[0], ContainsSubstring("logs no more"));
    CHECK_FALSE(told[0].touches_limit);
}

TEST_CASE("equal limits are two buckets unless the rules are one but for their names") {
    CHECK(swapped(web("one") + kLimit, web("two") + kLimit).empty());
    const auto told = swapped(web("one") + kLimit, web("two", "10.0.0.0/8", "80 443") + kLimit);
    REQUIRE(told.size() == 1);
    CHECK_THAT(told[0].fields[0], ContainsSubstring("the other's limit counts"));
}

TEST_CASE("rules of which one is more specific, or that never meet, may stand in any order") {
    const std::string slow = web("slow") + kLimit;
    CHECK(swapped(slow, web("near", "10.0.0.0/16")).empty());
    CHECK(swapped(slow, web("wide", "10.0.0.0/8", "80-81")).empty());
    CHECK(swapped(slow, web("elsewhere", "11.0.0.0/8")).empty());
    CHECK(swapped(slow, web("other", "10.0.0.0/8", "443")).empty());
    CHECK(swapped(slow, test::allow_in("any", "10.0.0.0/8", "any")).empty());
    CHECK(swapped(slow, web("six", "fd00::/8")).empty());
    CHECK(swapped(slow + "interfaces = [\"eth0\"]\n", web("b") + "interfaces = [\"eth1\"]\n")
              .empty());
    CHECK(swapped(test::allow_out("a", "10.0.0.0/8", "tcp", "80") +
                      "unit = \"a.service\"\nlog = \"new\"\n",
                  test::allow_out("b", "10.0.0.0/8", "tcp", "80") + "unit = \"b.service\"\n")
              .empty());
}

TEST_CASE("networks and ports that are written finer take what another rule decided") {
    const std::string slow = web("slow") + kLimit;
    const auto finer = changes(slow + web("free"), slow + web("free", "10.0.0.0/9 10.128.0.0/9"));
    REQUIRE(finer.size() == 1);
    CHECK(finer[0].name == "slow");
    CHECK(changes(slow + web("free", "10.0.0.0/8", "80-81"),
                  slow + web("free", "10.0.0.0/8", "80 81"))
              .empty()); // the earlier still decides
    CHECK(changes(web("free", "10.0.0.0/8", "80-81") + slow,
                  web("free", "10.0.0.0/8", "80 81") + slow)
              .size() == 1);
}

TEST_CASE("a rule that moved under another name is told by the new one") {
    const auto told =
        changes(web("slow") + kLimit + web("free"), web("open") + web("slow") + kLimit);
    REQUIRE(told.size() == 2);
    CHECK(told[0].kind == RuleChange::Kind::renamed);
    CHECK(told[1].kind == RuleChange::Kind::moved);
    CHECK(told[1].name == "slow");
}

TEST_CASE("of both ends the nearer decides first, and the farther then") {
    const auto through = [](const std::string& name, const std::string& from,
                            const std::string& to) {
        return test::allow_through(name, from, to, "tcp", "80");
    };
    const std::string loud = through("loud", "10.0.0.0/8", "192.0.2.0/24") + "log = \"new\"\n";
    CHECK(swapped(loud, through("b", "10.0.0.0/8", "192.0.2.0/24")).size() == 1);
    CHECK(swapped(loud, through("b", "10.0.0.0/16", "192.0.2.0/24")).empty());
    CHECK(swapped(loud, through("b", "10.0.0.0/8", "192.0.2.0/25")).empty());
    CHECK(swapped(loud, through("b", "10.0.0.0/8 10.0.0.0/16", "192.0.2.0/24")).size() == 1);
}

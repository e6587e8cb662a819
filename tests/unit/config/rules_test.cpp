// SPDX-License-Identifier: Apache-2.0
#include "config/cgroups.h"
#include "sallyport/abi/limits.h"
#include "unit/config/world.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::config_test;
using Lines = std::vector<std::string>;

namespace {

std::string ingress(const std::string& keys) {
    return "[[ingress]]\nname = \"r\"\nfrom = \"any\"\nproto = \"tcp\"\n" + keys + "\n";
}
std::string egress(const std::string& keys) {
    return "[[egress]]\nname = \"r\"\nto = \"any\"\nproto = \"tcp\"\n" + keys + "\n";
}
Rule rule(const std::string& text) {
    return good(text).rules.at(0);
}
Lines wrong(const std::string& text) {
    const ParsedPolicy result = parsed(text);
    CHECK_FALSE(result.policy);
    return findings(result);
}
// A rule under that name, as short as may be.
std::string named(const std::string& name) {
    return "[[ingress]]\nname = \"" + name + "\"\nfrom = \"any\"\nproto = \"tcp\"\n";
}

} // namespace

TEST_CASE("a policy without rules is a policy") {
    CHECK(good("").rules.empty());
    CHECK(findings("").empty());
}

TEST_CASE("an ingress rule has from, an egress rule has to") {
    const Rule in = rule(ingress("ports = [22]"));
    CHECK(in.direction == Direction::ingress);
    CHECK_FALSE(in.deny);
    CHECK(text_of(in.from) == "0.0.0.0/0,::/0");
    CHECK(in.to.parts.empty());
    CHECK(in.line == 4);
    CHECK(in.name == "r");
    const Rule out = rule(egress(""));
    CHECK(out.direction == Direction::egress);
    CHECK(out.from.parts.empty());
    CHECK(text_of(out.to) == "0.0.0.0/0,::/0");
    CHECK(wrong(ingress("to = \"any\"")) ==
          Lines{"8:1: \"to\" has no meaning here: ingress is always to this host"});
    CHECK(wrong(egress("from = \"any\"")) ==
          Lines{"8:1: \"from\" has no meaning here: egress is always from this host"});
}

TEST_CASE("rules stand in the order of the file, whatever their kind") {
    const Policy policy = good("[[egress]]\nname = \"one\"\nto = \"any\"\nproto = \"tcp\"\n"
                               "[[deny]]\nname = \"two\"\ndirection = \"egress\"\n"
                               "[[ingress]]\nname = \"three\"\nfrom = \"any\"\nproto = \"tcp\"\n"
                               "[[egress]]\nname = \"four\"\nto = \"10.0.0.1\"\nproto = \"tcp\"\n");
    Lines names;
    for (const Rule& each : policy.rules) names.push_back(each.name);
    CHECK(names == Lines{"one", "two", "three", "four"});
    CHECK(std::is_sorted(policy.rules.begin(), policy.rules.end(),
                         [](const Rule& a, const Rule& b) { return a.line < b.line; }));
}

TEST_CASE("rules may be written as inline tables") {
    const ParsedPolicy result =
        parse_policy("schema = 1\ningress = [{name = \"a\", from = \"any\", proto = \"tcp\"}, "
                     "{name = \"b\", from = \"10.0.0.1\", proto = \"udp\"}]\n"
                     "[host]\ninterfaces = [\"eth0\"]\n",
                     "p", World{}.view());
    REQUIRE(result.policy);
    REQUIRE(result.policy->rules.size() == 2);
    CHECK(result.policy->rules[1].name == "b");
    CHECK(result.policy->rules[1].line == 2);
}

TEST_CASE("what an allow rule must have is named when it is not there") {
    CHECK(wrong("[[ingress]]\n") == Lines{"4:1: this [[ingress]] needs \"name\"",
                                          "4:1: this [[ingress]] needs \"from\"",
                                          "4:1: this [[ingress]] needs \"proto\""});
    CHECK(wrong("[[egress]]\nname = \"x\"\n") ==
          Lines{"4:1: rule \"x\" needs \"to\"", "4:1: rule \"x\" needs \"proto\""});
    CHECK(wrong("[[deny]]\n") ==
          Lines{"4:1: this [[deny]] needs \"name\"", "4:1: this [[deny]] needs \"direction\""});
}

TEST_CASE("a deny rule without keys is about everything of its direction") {
    const Rule in = rule("[[deny]]\nname = \"d\"\ndirection = \"ingress\"\n");
    CHECK(in.deny);
    CHECK(in.direction == Direction::ingress);
    CHECK(text_of(in.from) == "0.0.0.0/0,::/0");
    CHECK(in.to.parts.empty());
    CHECK(in.services.any_protocol);
    const Rule out = rule("[[deny]]\nname = \"d\"\ndirection = \"egress\"\nto = "
                          "\"10.0.0.0/8\"\nports = [23]\nunit = \"a.service\"\n");
    CHECK(out.direction == Direction::egress);
    CHECK(text_of(out.to) == "10.0.0.0/8");
    CHECK(out.from.parts.empty());
    CHECK(out.identity.unit == "a.service");
}

TEST_CASE("a deny rule's direction must be one that there is") {
    CHECK(wrong("[[deny]]\nname = \"d\"\ndirection = \"out\"\n") ==
          Lines{"6:13: \"direction\" must be \"ingress\", \"egress\" or \"forward\", not "
                "\"out\""});
    CHECK(wrong("[[deny]]\nname = \"d\"\ndirection = \"egress\"\nfrom = \"any\"\n") ==
          Lines{"7:1: \"from\" has no meaning here: egress is always from this host"});
    CHECK(wrong("[[deny]]\nname = \"d\"\ndirection = \"ingress\"\nuser = 0\n") ==
          Lines{"7:1: \"user\" has no meaning here: only egress has a process"});
    CHECK(wrong(ingress("direction = \"ingress\"")) ==
          Lines{"8:1: \"direction\" has no meaning here: the section says it"});
}

TEST_CASE("names of rules are unique over all sections") {
    CHECK(wrong(named("a") + "[[egress]]\nname = \"a\"\nto = \"any\"\nproto = "
                             "\"tcp\"\n[[deny]]\nname = \"a\"\ndirection = \"egress\"\n") ==
          Lines{"9:8: a rule \"a\" is there already, in line 4",
                "13:8: a rule \"a\" is there already, in line 4"});
    CHECK(good(named("a") + "[[egress]]\nname = \"A\"\nto = \"any\"\nproto = \"tcp\"\n")
              .rules.size() == 2);
}

TEST_CASE("names of rules are not empty, not long, and printable") {
    CHECK(rule(named("with blanks äöü")).name == "with blanks äöü");
    CHECK(rule(named(std::string(64, 'n'))).name.size() == 64);
    CHECK(wrong(named(std::string(65, 'n'))) ==
          Lines{"5:8: the name of a rule must not be longer than 64 bytes"});
    CHECK(wrong(named("")) == Lines{"5:8: the name of a rule must not be empty"});
    CHECK(wrong(named("a\\tb")) ==
          Lines{"5:8: the name of a rule must not hold control characters"});
    CHECK(wrong(named("a\\u202eb")) ==
          Lines{"5:8: the name of a rule must not hold control characters"});
    CHECK(wrong("[[ingress]]\nname = 1\nfrom = \"any\"\nproto = \"tcp\"\n") ==
          Lines{"5:8: \"name\" must be a string, not a number"});
}

TEST_CASE("an egress rule may be for a unit, a cgroup or a user, and a user of either") {
    CHECK(rule(egress("")).identity.is_none());
    CHECK(rule(egress("unit = \"rag.service\"")).identity ==
          Identity{"rag.service", "", std::nullopt});
    CHECK(rule(egress("cgroup = \"/a/b\"")).identity == Identity{"", "/a/b", std::nullopt});
    CHECK(rule(egress("user = \"ollama\"")).identity == Identity{"", "", 1001});
    CHECK(rule(egress("user = 0")).identity == Identity{"", "", 0});
    CHECK(rule(egress("user = 4294967294\nunit = \"a@b.scope\"")).identity ==
          Identity{"a@b.scope", "", 4294967294u});
    CHECK(rule(egress("user = 1\ncgroup = \"/\"")).identity == Identity{"", "/", 1});
}

TEST_CASE("identities that cannot be are errors") {
    CHECK(wrong(egress("unit = \"a.service\"\ncgroup = \"/a\"")) ==
          Lines{"9:1: rule \"r\" has both \"unit\" and \"cgroup\""});
    CHECK(wrong(egress("user = \"nobody-here\"")) == Lines{"8:8: unknown user \"nobody-here\""});
    CHECK(wrong(egress("user = 4294967295")) ==
          Lines{"8:8: a user id must be from 0 to 4294967294"});
    CHECK(wrong(egress("user = -1")) == Lines{"8:8: a user id must be from 0 to 4294967294"});
    CHECK(wrong(egress("user = true")) ==
          Lines{"8:8: \"user\" must be a name or a number, not true or false"});
    for (const char* unit : {"rag", "", ".service", "a/b.service", "a.timer", "a\\u0001.service"}) {
        INFO(unit);
        CHECK(wrong(egress("unit = \"" + std::string(unit) + "\"")).size() == 1);
    }
    for (const char* path :
         {"", "a", "a/b", "/a/", "//", "/a//b", "/a/../b", "/./a", "/a\\u0001"}) {
        INFO(path);
        CHECK(wrong(egress("cgroup = \"" + std::string(path) + "\"")).size() == 1);
    }
    CHECK(wrong(ingress("unit = \"a.service\"\nuser = 0\ncgroup = \"/\"")) ==
          Lines{"8:1: \"unit\" has no meaning here: only egress has a process",
                "9:1: \"user\" has no meaning here: only egress has a process",
                "10:1: \"cgroup\" has no meaning here: only egress has a process"});
}

TEST_CASE("cgroup names and depths end where the programs can follow no further") {
    CHECK(config::kCgroupNameMax == SP_CG_NAME - 1);
    CHECK(config::kCgroupDepthMax == SP_CG_DEPTH_MAX);
    const std::string longest = "/" + std::string(config::kCgroupNameMax, 'c');
    CHECK(rule(egress("cgroup = \"" + longest + "\"")).identity.cgroup == longest);
    CHECK(wrong(egress("cgroup = \"" + longest + "c\"")).size() == 1);
    std::string deepest;
    for (std::size_t i = 0; i < config::kCgroupDepthMax; ++i) deepest += "/d";
    CHECK(rule(egress("cgroup = \"" + deepest + "\"")).identity.cgroup == deepest);
    CHECK(wrong(egress("cgroup = \"" + deepest + "/d\"")).size() == 1);
}

TEST_CASE("a rule may be for some interfaces only") {
    CHECK(rule(ingress("interfaces = [\"eth0\", \"en*\"]")).interfaces == Lines{"eth0", "en*"});
    CHECK(rule(egress("interfaces = [\"wg?\"]")).interfaces == Lines{"wg?"});
    CHECK(rule(ingress("")).interfaces.empty());
    CHECK(wrong(ingress("interfaces = []")) == Lines{"8:14: \"interfaces\" must not be empty"});
    CHECK(wrong(ingress("interfaces = \"eth0\"")) ==
          Lines{"8:14: \"interfaces\" must be a list, not a string"});
    CHECK(wrong(ingress("interfaces = [\"lo\"]")) ==
          Lines{"8:15: \"lo\" is loopback, which is never judged"});
}

TEST_CASE("log reports new connections of allow rules, and is for nothing else") {
    CHECK(rule(ingress("log = \"new\"")).log_new);
    CHECK(rule(egress("log = \"new\"")).log_new);
    CHECK_FALSE(rule(ingress("")).log_new);
    CHECK(wrong(ingress("log = \"all\"")) == Lines{"8:7: \"log\" must be \"new\", not \"all\""});
    CHECK(wrong(ingress("log = true")) ==
          Lines{"8:7: \"log\" must be a string, not true or false"});
    CHECK(wrong("[[deny]]\nname = \"d\"\ndirection = \"egress\"\nlog = \"new\"\n") ==
          Lines{"7:1: \"log\" has no meaning here: every refusal is reported"});
}

TEST_CASE("a forward rule has both ends") {
    const std::string head = "[[forward]]\nname = \"f\"\nproto = \"tcp\"\n";
    const Rule both = rule(head + "from = \"10.0.0.0/24\"\nto = [\"10.0.1.0/24\", \"fd00::/8\"]\n"
                                  "ports = [8080]\ninterfaces = [\"br*\"]\nlog = \"new\"\n");
    CHECK(both.direction == Direction::forward);
    CHECK_FALSE(both.deny);
    CHECK(text_of(both.from) == "10.0.0.0/24");
    CHECK(text_of(both.to) == "10.0.1.0/24,fd00::/8");
    CHECK(both.interfaces == std::vector<std::string>{"br*"});
    CHECK(both.log_new);
    CHECK(wrong(head + "to = \"any\"\n") == Lines{"4:1: rule \"f\" needs \"from\""});
    CHECK(wrong(head + "from = \"any\"\n") == Lines{"4:1: rule \"f\" needs \"to\""});
    CHECK(wrong(head + "from = \"any\"\nto = \"any\"\nunit = \"a.service\"\n") ==
          Lines{"9:1: \"unit\" has no meaning here: only egress has a process"});
    CHECK(wrong("forward = 1\n").size() == 1);
}

TEST_CASE("a deny rule of what is routed may name either end, or none") {
    const std::string head = "[[deny]]\nname = \"d\"\ndirection = \"forward\"\n";
    const Rule any = rule(head);
    CHECK(any.deny);
    CHECK(any.direction == Direction::forward);
    CHECK(text_of(any.from) == "0.0.0.0/0,::/0");
    CHECK(text_of(any.to) == "0.0.0.0/0,::/0");
    const Rule to = rule(head + "to = \"10.0.0.0/8\"\nports = [23]\n");
    CHECK(text_of(to.from) == "0.0.0.0/0,::/0");
    CHECK(text_of(to.to) == "10.0.0.0/8");
}

TEST_CASE("where routed traffic leaves is not known, so a forward rule's to has no interfaces") {
    const std::string zone =
        "[zones]\nrack = { networks = [\"10.0.0.0/8\"], interfaces = [\"eth1\"] }\n";
    const std::string head = "[[forward]]\nname = \"f\"\nproto = \"tcp\"\n";
    CHECK(wrong(zone + head + "from = \"any\"\nto = \"rack\"\n") ==
          Lines{"10:6: rule \"f\" sends to a zone with \"interfaces\""});
    CHECK(parsed(zone + head + "from = \"rack\"\nto = \"any\"\n").policy.has_value());
}

TEST_CASE("unknown keys are errors with the near one") {
    const ParsedPolicy result = parsed(ingress("port = [22]"));
    CHECK(findings(result) == Lines{"8:1: unknown key \"port\" in rule \"r\""});
    CHECK(result.diagnostics.at(0).hint == "did you mean \"ports\"?");
}

TEST_CASE("sections of the wrong form are errors") {
    CHECK(wrong("[ingress]\nname = \"x\"\n") == Lines{"4:2: \"ingress\" is a list of rules"});
    CHECK(findings(
              parse_policy("schema = 1\ndeny = 1\negress = [1]\n[host]\ninterfaces = [\"eth0\"]\n",
                           "p", World{}.view())) ==
          Lines{"2:1: \"deny\" is a list of rules",
                "3:11: \"egress\" is a list of rules, and this is a number"});
}

TEST_CASE("a rule for nobody is a warning") {
    const ParsedPolicy result =
        parsed("[zones]\nempty = []\n[[ingress]]\nname = \"a\"\nfrom = \"none\"\nproto = \"tcp\"\n"
               "[[egress]]\nname = \"b\"\nto = [\"empty\"]\nproto = \"tcp\"\n");
    CHECK(result.policy);
    CHECK(findings(result) == Lines{"w8:8: rule \"a\" can never match: \"from\" is nobody",
                                    "w12:6: rule \"b\" can never match: \"to\" is nobody"});
}

TEST_CASE("of two rules that say the same the second is a warning") {
    const auto pair = [](const std::string& first, const std::string& second) {
        return findings("[[egress]]\nname = \"a\"\n" + first + "[[egress]]\nname = \"b\"\n" +
                        second);
    };
    const std::string base =
        "to = [\"10.0.0.0/8\", \"fd00::/8\"]\nproto = \"tcp\"\nports = [22, 80]\n";
    CHECK(pair(base, "to = [\"fd00::/8\", \"10.0.0.0/8\"]\nproto = 6\nports = [80, \"22-22\"]\n") ==
          Lines{"w10:8: rule \"b\" never decides: \"a\" in line 4 says the same"});
    for (const char* other :
         {"to = [\"10.0.0.0/8\"]\nproto = \"tcp\"\nports = [22, 80]\n",
          "to = [\"10.0.0.0/8\", \"fd00::/8\"]\nproto = \"udp\"\nports = [22, 80]\n",
          "to = [\"10.0.0.0/8\", \"fd00::/8\"]\nproto = \"tcp\"\nports = [22, 81]\n"}) {
        INFO(other);
        CHECK(pair(base, other).empty());
    }
    for (const char* more : {"unit = \"a.service\"\n", "user = 0\n", "interfaces = [\"eth0\"]\n"}) {
        INFO(more);
        CHECK(pair(base, base + more).empty());
        CHECK(pair(base + more, base + more).size() == 1);
    }
}

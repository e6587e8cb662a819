// SPDX-License-Identifier: Apache-2.0
// Zones by what an ingress rule makes of them: its peers, or the findings.
#include "unit/config/world.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::config_test;
using Lines = std::vector<std::string>;

namespace {
std::string from_rule(const std::string& from) {
    return "[[ingress]]\nname = \"r\"\nproto = \"tcp\"\nfrom = " + from + "\n";
}
// What `from` is, with those zones.
std::string peers(const std::string& zones, const std::string& from, const World& world = {}) {
    return text_of(good("[zones]\n" + zones + from_rule(from), world).rules.at(0).from);
}
Lines wrong(const std::string& zones, const std::string& from, const World& world = {}) {
    const ParsedPolicy result = parsed("[zones]\n" + zones + from_rule(from), world);
    CHECK_FALSE(result.policy);
    return findings(result);
}
const std::string kBase = "lan = [\"10.0.0.0/16\", \"fd00:10::/32\"]\nadmin = [\"10.0.0.0/24\"]\n";
} // namespace

TEST_CASE("peers are a zone, a network, any, none, or a list") {
    CHECK(peers(kBase, "\"lan\"") == "10.0.0.0/16,fd00:10::/32");
    CHECK(peers("", "\"192.0.2.1\"") == "192.0.2.1");
    CHECK(peers("", "\"any\"") == "0.0.0.0/0,::/0");
    CHECK(peers("", "\"none\"").empty());
    CHECK(peers("", "[]").empty());
    CHECK(peers(kBase, "[\"admin\", \"192.0.2.0/24\", \"fd00::1\"]") ==
          "10.0.0.0/24 192.0.2.0/24,fd00::1");
    CHECK(peers(kBase, "[\"admin\", \"admin\"]") == "10.0.0.0/24");
    CHECK(peers(kBase, "[\"any\", \"admin\"]") == "0.0.0.0/0,::/0 10.0.0.0/24");
}

TEST_CASE("peers of other kinds are errors") {
    CHECK(wrong("", "1") ==
          Lines{"8:8: \"from\" must be a zone, a network or a list of these, not a number"});
    CHECK(wrong("", "[1, \"any\"]") ==
          Lines{"8:9: \"from\" lists zones and networks, and this is a number"});
    CHECK(wrong("", "[\"none\", \"10.0.0.1\"]") ==
          Lines{"8:9: \"none\" cannot stand beside others"});
    CHECK(wrong("", "\"10.0.0.1/8\"") == Lines{"8:8: \"10.0.0.1/8\" has host bits set"});
    CHECK(wrong("", "\"\"") == Lines{"8:8: unknown zone \"\""});
}

TEST_CASE("an unknown zone is an error with the near name") {
    const ParsedPolicy result = parsed("[zones]\n" + kBase + from_rule("\"adnim\""));
    CHECK(findings(result) == Lines{"10:8: unknown zone \"adnim\""});
    CHECK(result.diagnostics[0].hint == "did you mean \"admin\"?");
}

TEST_CASE("a zone may leave parts out of its networks or of other zones") {
    CHECK(peers(kBase + "z = {zones = [\"lan\"], except = [\"10.0.0.13\", \"admin\"]}\n",
                "\"z\"") == "10.0.0.0/16,fd00:10::/32!10.0.0.13!10.0.0.0/24");
    CHECK(peers("z = {networks = [\"10.0.0.0/8\"], except = [\"10.1.0.0/16\"]}\n", "\"z\"") ==
          "10.0.0.0/8!10.1.0.0/16");
    CHECK(peers("z = {zones = [\"any\"], except = [\"10.0.0.0/8\"]}\n", "\"z\"") ==
          "0.0.0.0/0,::/0!10.0.0.0/8");
    CHECK(peers("z = {zones = [\"any\"], except = [\"none\"]}\n", "\"z\"") == "0.0.0.0/0,::/0");
}

TEST_CASE("an exception that has exceptions itself takes out only what it holds") {
    CHECK(peers(kBase + "part = {zones = [\"admin\"], except = [\"10.0.0.128/25\"]}\n"
                        "z = {zones = [\"lan\"], except = [\"part\"]}\n",
                "\"z\"") == "10.0.0.0/16,fd00:10::/32!10.0.0.0/25");
}

TEST_CASE("networks, files and zones of one zone are joined") {
    World world;
    world.files["more.netset"] = "192.0.2.0/24\n";
    CHECK(
        peers(
            kBase +
                "z = {networks = [\"203.0.113.1\"], file = \"more.netset\", zones = [\"admin\"]}\n",
            "\"z\"", world) == "203.0.113.1 192.0.2.0/24 10.0.0.0/24");
}

TEST_CASE("interfaces of a zone stay with its networks") {
    CHECK(peers("z = {networks = [\"192.168.7.0/24\"], interfaces = [\"eth1\", \"en*\"]}\n",
                "\"z\"") == "192.168.7.0/24%eth1%en*");
    CHECK(peers("z = {networks = [\"192.168.7.0/24\"], interfaces = [\"eth1\"]}\n"
                "y = {zones = [\"z\"], interfaces = [\"eth1\"]}\n",
                "\"y\"") == "192.168.7.0/24%eth1");
    const Lines lines = wrong("z = {networks = [\"192.168.7.0/24\"], interfaces = [\"eth1\"]}\n"
                              "y = {zones = [\"z\"], interfaces = [\"eth2\"]}\n"
                              "x = {zones = [\"any\"], except = [\"z\"]}\n",
                              "[\"y\", \"x\"]");
    CHECK(lines == Lines{"6:34: a zone within this one has other \"interfaces\" already",
                         "7:33: a zone with \"interfaces\" cannot be an exception"});
}

TEST_CASE("a zone file is sought beside the policy file") {
    World world;
    world.files = {{"z.netset", "10.0.0.1\n"},
                   {"/etc/p/z.netset", "10.0.0.2\n"},
                   {"/abs/z.netset", "10.0.0.3\n"}};
    const auto read = [&](const std::string& policy, const std::string& path) {
        const ParsedPolicy result =
            parse_policy(kHead + "[zones]\nz = {file = \"" + path + "\"}\n" + from_rule("\"z\""),
                         policy, world.view());
        REQUIRE(result.policy);
        return text_of(result.policy->rules.at(0).from);
    };
    CHECK(read("p.toml", "z.netset") == "10.0.0.1");
    CHECK(read("/etc/p/p.toml", "z.netset") == "10.0.0.2");
    CHECK(read("/etc/p/p.toml", "/abs/z.netset") == "10.0.0.3");
    CHECK(wrong("z = {file = \"no.netset\"}\n", "\"z\"") == Lines{"5:13: cannot open no.netset"});
    CHECK(wrong("z = {file = \"\"}\n", "\"z\"") == Lines{"5:13: \"file\" must be a path"});
}

TEST_CASE("errors of a zone file name that file, once for all zones that use it") {
    World world;
    world.files["z.netset"] = "10.0.0.1\n10.0.0.0/99\n";
    const ParsedPolicy result =
        parsed("[zones]\na = {file = \"z.netset\"}\nb = {file = \"z.netset\"}\n" +
                   from_rule("[\"a\", \"b\"]"),
               world);
    CHECK_FALSE(result.policy);
    REQUIRE(result.diagnostics.size() == 1);
    CHECK(result.diagnostics[0].file == "z.netset");
    CHECK(result.diagnostics[0].line == 2);
}

TEST_CASE("one file is read once and shared by its zones") {
    World world;
    world.files["z.netset"] = "10.0.0.1\n";
    const Policy policy =
        good("[zones]\na = {file = \"z.netset\"}\nb = {file = \"z.netset\"}\n" +
                 from_rule("\"a\"") + "[[egress]]\nname = \"e\"\nproto = \"any\"\nto = \"b\"\n",
             world);
    CHECK(policy.rules.at(0).from.parts.at(0).networks ==
          policy.rules.at(1).to.parts.at(0).networks);
}

TEST_CASE("a zone that contains itself is an error, however long the circle") {
    CHECK(wrong("a = {zones = [\"a\"]}\n", "\"a\"") == Lines{"5:15: zone \"a\" contains itself"});
    const ParsedPolicy result =
        parsed("[zones]\na = {zones = [\"b\"]}\nb = {zones = [\"any\"], except = [\"c\"]}\n"
               "c = {zones = [\"a\"]}\n" +
               from_rule("\"any\""));
    CHECK(findings(result) == Lines{"7:15: zone \"a\" contains itself"});
    CHECK(result.diagnostics[0].hint == "\"a\" uses \"b\" uses \"c\" uses \"a\"");
    CHECK(peers(kBase + "a = {zones = [\"b\", \"admin\"]}\nb = {zones = [\"admin\"]}\n",
                "[\"a\", \"b\"]") == "10.0.0.0/24");
}

TEST_CASE("zones of zones of zones neither double at each step nor nest without end") {
    std::string doubling = "z0 = [\"10.0.0.0/8\"]\nz1 = [\"11.0.0.0/8\"]\n";
    std::string chain;
    for (int i = 2; i < 100; ++i)
        doubling += "z" + std::to_string(i) + " = {zones = [\"z" + std::to_string(i - 1) +
                    "\", \"z" + std::to_string(i - 2) + "\"]}\n";
    for (int i = 0; i < 1000; ++i)
        chain += "c" + std::to_string(i) + " = {zones = [\"c" + std::to_string(i + 1) + "\"]}\n";
    CHECK(peers(doubling, "\"z99\"") == "11.0.0.0/8 10.0.0.0/8");
    const Lines lines = wrong(chain + "c1000 = [\"10.0.0.0/8\"]\n", "\"c0\"");
    REQUIRE_FALSE(lines.empty());
    CHECK(lines[0].find("nested more than 200 deep") != std::string::npos);
    std::string grow = "g0 = [\"10.0.0.0/8\"]\ng1 = [\"10.0.0.0/8\"]\n";
    for (int i = 2; i < 60; ++i)
        grow += "g" + std::to_string(i) + " = {zones = [\"g" + std::to_string(i - 1) + "\", \"g" +
                std::to_string(i - 2) + "\"], except = [\"10.0.0." + std::to_string(i) + "\"]}\n";
    CHECK(wrong(grow, "\"g59\"").at(0).find("of too many parts") != std::string::npos);
}

TEST_CASE("names that a zone cannot have are errors") {
    CHECK(wrong("any = [\"10.0.0.0/8\"]\n", "\"any\"") ==
          Lines{"5:1: \"any\" is taken and cannot name a zone"});
    CHECK(wrong("none = [\"10.0.0.0/8\"]\n", "\"any\"") ==
          Lines{"5:1: \"none\" is taken and cannot name a zone"});
    CHECK(wrong("\"\" = [\"10.0.0.0/8\"]\n", "\"any\"") ==
          Lines{"5:1: the name of a zone must not be empty"});
    CHECK(wrong("\"a\\nb\" = [\"10.0.0.0/8\"]\n", "\"any\"") ==
          Lines{"5:1: the name of a zone must not hold control characters"});
    CHECK(wrong("\"10.0.0.1\" = [\"10.0.0.0/8\"]\n", "\"any\"") ==
          Lines{"5:1: \"10.0.0.1\" is a network and cannot name a zone"});
    CHECK(wrong(std::string(65, 'x') + " = [\"10.0.0.0/8\"]\n", "\"any\"") ==
          Lines{"5:1: the name of a zone must not be longer than 64 bytes"});
    CHECK(peers(std::string(64, 'x') + " = [\"10.0.0.0/8\"]\n",
                "\"" + std::string(64, 'x') + "\"") == "10.0.0.0/8");
    CHECK(peers("\"two words\" = [\"10.0.0.0/8\"]\n", "\"two words\"") == "10.0.0.0/8");
}

TEST_CASE("a zone that is there twice is an error, and the rest is still checked") {
    CHECK(wrong("a = [\"10.0.0.0/8\"]\na = [\"11.0.0.0/8\", \"x\"]\n", "[\"a\", \"b\"]") ==
          Lines{"6:1: \"a\" is defined twice", "6:20: \"x\" is not an IP address or network",
                "10:14: unknown zone \"b\""});
}

TEST_CASE("zones of the wrong form are errors") {
    CHECK(wrong("a = \"10.0.0.0/8\"\n", "\"a\"") ==
          Lines{"5:5: zone \"a\" must be a list of networks or a table, not a string"});
    CHECK(wrong("a = {}\n", "\"a\"") ==
          Lines{"5:1: zone \"a\" needs \"networks\", \"file\" or \"zones\""});
    CHECK(wrong("a = {except = [\"10.0.0.0/8\"]}\n", "\"a\"") ==
          Lines{"5:1: zone \"a\" needs \"networks\", \"file\" or \"zones\""});
    CHECK(wrong("a = [1]\n", "\"a\"") ==
          Lines{"5:6: \"a\" is a list of strings, and this is a number"});
    CHECK(wrong("a = {file = 1}\n", "\"a\"") ==
          Lines{"5:13: \"file\" must be a string, not a number"});
    CHECK(wrong("a = {networks = [\"10.0.0.0/8\"], intrefaces = [\"eth0\"]}\n", "\"a\"") ==
          Lines{"5:33: unknown key \"intrefaces\" in zone \"a\""});
    CHECK(wrong("a = {zones = [\"any\"], except = [\"any\"]}\n", "\"a\"") ==
          Lines{"5:33: \"any\" as an exception leaves nobody"});
    CHECK(wrong("a = {networks = [\"10.0.0.0/8\"], interfaces = []}\n", "\"a\"") ==
          Lines{"5:46: \"interfaces\" must not be empty"});
    CHECK(findings(parse_policy("schema = 1\nzones = 1\n[host]\ninterfaces = [\"eth0\"]\n", "p",
                                World{}.view())) ==
          Lines{"2:9: \"zones\" must be a table, not a number"});
}

TEST_CASE("a zone's list holds networks, and a zone in it is an error that says how") {
    const ParsedPolicy result =
        parsed("[zones]\n" + kBase + "z = [\"admin\", \"any\"]\n" + from_rule("\"z\""));
    CHECK(findings(result) == Lines{"7:6: \"admin\" is a zone, and this lists networks",
                                    "7:15: \"any\" is a zone, and this lists networks"});
    CHECK(result.diagnostics[0].hint == "a zone made of zones is { zones = [\"admin\"] }");
}

TEST_CASE("a zone that nothing uses is a warning, and is checked all the same") {
    CHECK(findings("[zones]\nz = [\"10.0.0.0/8\"]\n") == Lines{"w5:1: zone \"z\" is never used"});
    CHECK(parsed("[zones]\nz = [\"10.0.0.0/8\"]\n").policy);
    CHECK(
        findings("[zones]\nz = [\"10.0.0.0/8\"]\ny = {zones = [\"z\"]}\n[exfil]\ninside = \"y\"\n")
            .empty());
    CHECK(findings("[zones]\nz = [\"x\"]\n") ==
          Lines{"5:6: \"x\" is not an IP address or network"});
}

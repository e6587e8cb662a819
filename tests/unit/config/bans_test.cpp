// SPDX-License-Identifier: Apache-2.0
// [bans]: who is never banned, lists, and how bans grow.
#include "unit/config/world.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::config_test;
using Lines = std::vector<std::string>;

namespace {

std::string never_of(const std::string& text, const World& world = {}) {
    std::string names;
    for (const Prefix& prefix : good(text, world).bans.never)
        names += (names.empty() ? "" : " ") + to_string(prefix);
    return names;
}

Lines wrong(const std::string& text, const World& world = {}) {
    const ParsedPolicy result = parsed(text, world);
    CHECK_FALSE(result.policy);
    return findings(result);
}

const std::string kZones = "[zones]\nadmin = [\"10.0.0.0/24\", \"fd00::/64\"]\n"
                           "some = { zones = [\"admin\"], except = [\"10.0.0.128/25\"] }\n"
                           "here = { networks = [\"10.9.0.0/16\"], interfaces = [\"eth1\"] }\n"
                           "blocked = { file = \"blocked.netset\" }\n"
                           "mixed = { file = \"blocked.netset\", networks = [\"10.8.0.0/16\"] }\n";

World with_file(const std::string& text) {
    World world;
    world.files["blocked.netset"] = text;
    return world;
}

} // namespace

TEST_CASE("never names zones and networks of both families, exceptions taken out") {
    const World world = with_file("192.0.2.0/24\n");
    CHECK(never_of("[bans]\nnever = [\"10.0.0.1\", \"fd00::/8\"]\n") == "10.0.0.1 fd00::/8");
    CHECK(never_of(kZones + "[bans]\nnever = [\"admin\"]\n", world) == "10.0.0.0/24 fd00::/64");
    CHECK(never_of(kZones + "[bans]\nnever = [\"some\"]\n", world) == "10.0.0.0/25 fd00::/64");
    CHECK(never_of("[bans]\n").empty());
    CHECK(never_of("").empty());
}

TEST_CASE("what never cannot hold is an error where it stands") {
    const World world = with_file("");
    CHECK(wrong(kZones + "[bans]\nnever = [\"here\"]\n", world) ==
          Lines{"11:9: a zone with \"interfaces\" cannot be in \"never\": a ban holds on every "
                "interface"});
    CHECK(wrong("[bans]\nnever = [\"nobody\"]\n") == Lines{"5:10: unknown zone \"nobody\""});
    CHECK(wrong("[bans]\nnver = []\n") == Lines{"5:1: unknown key \"nver\" in [bans]"});
}

TEST_CASE("lists are zones that are a file and nothing else") {
    const World world = with_file("192.0.2.0/24\n");
    const Policy policy = good(kZones + "[bans]\nlists = [\"blocked\"]\n", world);
    CHECK(policy.bans.lists ==
          std::vector<BanListZone>{{.zone = "blocked", .file = "blocked.netset"}});
    CHECK(wrong(kZones + "[bans]\nlists = [\"admin\"]\n", world) ==
          Lines{"11:10: zone \"admin\" is not a file alone"});
    CHECK(wrong(kZones + "[bans]\nlists = [\"mixed\"]\n", world) ==
          Lines{"11:10: zone \"mixed\" is not a file alone"});
    CHECK(wrong(kZones + "[bans]\nlists = [\"blocked\", \"blocked\"]\n", world) ==
          Lines{"11:21: \"blocked\" is there twice"});
    CHECK(wrong(kZones + "[bans]\nlists = [\"bloked\"]\n", world) ==
          Lines{"11:10: unknown zone \"bloked\""});
    // A file with a bad line is a bad policy, now; later it is only not taken.
    CHECK_FALSE(parsed(kZones + "[bans]\nlists = [\"blocked\"]\n", with_file("what?\n")).policy);
}

TEST_CASE("bans grow by default not at all, and as they are told") {
    CHECK(good("[bans]\n").bans.growth == BanGrowth{});
    CHECK_FALSE(BanGrowth{}.increment);
    const BanGrowth growth = good("[bans]\nincrement = true\nmultipliers = [1, 5]\n"
                                  "max-time = \"7d\"\nremember = \"30d\"\n")
                                 .bans.growth;
    CHECK(growth == BanGrowth{.increment = true,
                              .multipliers = {1, 5},
                              .max_time = std::chrono::days(7),
                              .remember = std::chrono::days(30)});
    CHECK(wrong("[bans]\nmultipliers = []\n") ==
          Lines{"5:15: \"multipliers\" needs at least one number"});
    CHECK(wrong("[bans]\nmultipliers = [0]\n") == Lines{"5:16: a multiplier is from 1 to 1000000"});
    CHECK(wrong("[bans]\nmax-time = \"0s\"\n").size() == 1);
}

TEST_CASE("automatic bans are off, or so many in a span for a time") {
    using std::chrono::seconds;
    CHECK(good("[bans]\n").bans.after_limits == std::nullopt);
    const BanRules off = good("[bans]\nafter-limits = \"off\"\nafter-probes = \"off\"\n").bans;
    CHECK((off.after_limits == std::nullopt && off.after_probes == std::nullopt));
    const BanRules on =
        good("[bans]\nafter-limits = \"50 in 10m for 1h\"\nafter-probes = \"5 in 90s for 2d\"\n")
            .bans;
    CHECK(on.after_limits == BanAfter{.count = 50, .find = seconds(600), .ban = seconds(3600)});
    CHECK(on.after_probes == BanAfter{.count = 5, .find = seconds(90), .ban = seconds(172800)});
}

TEST_CASE("what is no such setting is an error where it stands") {
    for (const char* key : {"after-limits", "after-probes"}) {
        const auto say = [&](const char* value) {
            return wrong(std::string("[bans]\n") + key + " = " + value + "\n");
        };
        const std::string at = std::string("5:16: \"") + key + "\" ";
        for (const char* value :
             {"\"\"", "\"on\"", "\"50 in 10m\"", "\"50 in 10 for 1h\"", "\"-5 in 10m for 1h\"",
              "\"5x in 10m for 1h\"", "\"50 for 1h in 10m\"", "\"50 in 10m for 1h more\"",
              "\"99999999999 in 10m for 1h\""}) {
            INFO(value);
            CHECK(say(value) == Lines{at + "is neither \"off\" nor a number in a span for a time"});
        }
        CHECK(say("\"0 in 10m for 1h\"") == Lines{at + "counts from 1 to 1000"});
        CHECK(say("\"1001 in 10m for 1h\"") == Lines{at + "counts from 1 to 1000"});
        CHECK(say("\"5 in 2d for 1h\"") == Lines{at + "counts in a span of 1s to 1d"});
        CHECK(say("\"5 in 0s for 1h\"") == Lines{at + "counts in a span of 1s to 1d"});
        CHECK(say("\"5 in 1m for 0s\"") == Lines{at + "bans for 1s to 36500d"});
        CHECK(say("50").size() == 1);
    }
}

// SPDX-License-Identifier: Apache-2.0
#include "jail/jail_files.h"
#include "jail/own_jail.h"
#include "unit/jail/files.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::jail;
using std::chrono::seconds;

namespace {

const char* const kDefaults =
    "[DEFAULT]\nbantime = 10m\nfindtime = 10m\nmaxretry = 5\n"
    "backend = auto\nusedns = warn\nenabled = false\nmode = normal\n"
    "filter = %(__name__)s[mode=%(mode)s]\naction = block[name=%(__name__)s]\n";
const char* const kFilter = "[Definition]\nfailregex = <re-<mode>> <HOST>\nre-normal = N\n"
                            "re-strict = S\nignoreregex =\n";

Files files(const std::string& jails, const std::string& local = "") {
    return {{"/f/jail.conf", std::string(kDefaults) + jails},
            {"/f/jail.local", local},
            {"/f/filter.d/web.conf", kFilter}};
}
ReadJails read(const Files& all, const std::string& file = "/f/jail.conf") {
    auto made = read_jails(world_of(all), file, 64);
    if (!made) FAIL(made.error().text());
    return std::move(*made);
}
std::string notes(const ReadJails& made) {
    std::string text;
    for (const Note& note : made.notes) text += to_text(note) + "\n";
    return text;
}

} // namespace

TEST_CASE("an enabled jail has its filter, its parameters and the defaults") {
    const ReadJails made = read(
        files("[web]\nlogpath = /var/log/web.log\n  /var/log/web/*.log tail\n[off]\nlogpath = /x\n",
              "[web]\nenabled = true\nmode = strict\nmaxretry = 2\nbantime = -1\nfindtime = 1h\n"
              "ignoreip = 127.0.0.1/8 10.0.0.1/255.0.0.0 ::1 bastion.example\n"));
    REQUIRE(made.jails.size() == 1);
    const JailSettings& jail = made.jails[0];
    CHECK(jail.name == "web");
    CHECK(jail.filter.failregex.at(0).text == "S <HOST>");
    CHECK(jail.max_retry == 2);
    CHECK(jail.find_time == seconds(3600));
    CHECK(jail.ban_time == std::nullopt);
    REQUIRE(jail.logs.size() == 2);
    CHECK(jail.logs[0].glob == "/var/log/web.log");
    CHECK_FALSE(jail.logs[0].tail);
    CHECK(jail.logs[1].glob == "/var/log/web/*.log");
    CHECK(jail.logs[1].tail);
    CHECK(*jail.ignored.parts.at(0).networks == std::vector<Prefix>{*parse_prefix("127.0.0.0/8"),
                                                                    *parse_prefix("10.0.0.0/8"),
                                                                    *parse_prefix("::1")});
    CHECK(notes(made).contains("bastion.example"));
    CHECK(notes(made).contains("action: block: not run"));
}

TEST_CASE("a jail goes before its filter, and reaches what the filter has as known") {
    const ReadJails made = read(files("[web]\nenabled = yes\nlogpath = /x\n"
                                      "failregex = own <HOST>\n  %(known/failregex)s\n"
                                      "datepattern = %%Y\nignoreregex = spare\n"));
    REQUIRE(made.jails.size() == 1);
    const FilterSettings& filter = made.jails[0].filter;
    REQUIRE(filter.failregex.size() == 2);
    CHECK(filter.failregex[0].text == "own <HOST>");
    CHECK(filter.failregex[1].text == "N <HOST>");
    CHECK(filter.datepatterns.at(0).text == "%Y");
    CHECK(filter.ignoreregex.at(0).text == "spare");
}

TEST_CASE("a file below jail.d brings only its own jails, under the defaults of all") {
    Files all = files("[other]\nenabled = true\nlogpath = /y\nfilter = web\n");
    all["/f/jail.d/ai.conf"] = "[web]\nenabled = true\nlogpath = /x\nmaxretry = 9\n";
    const ReadJails made = read(all, "/f/jail.d/ai.conf");
    REQUIRE(made.jails.size() == 1);
    CHECK(made.jails[0].name == "web");
    CHECK(made.jails[0].max_retry == 9);
    CHECK(made.jails[0].find_time == seconds(600));
    CHECK(read(all).jails.size() == 2);
}

TEST_CASE("what is not carried is named, what cannot be used is refused, the rest stands") {
    Files all = files(
        "[web]\nenabled = true\nlogpath = /x\nignorecommand = /bin/true\nlogencoding = latin1\n"
        "usedns = yes\nbantime.increment = true\nbantime.formula = ban.Time * 3\n"
        "bantime.maxtime = 5w\nbantime.overalljails = true\n"
        "[many]\nenabled = true\nlogpath = /x\nfilter = web\nmaxlines = 3\n"
        "[gone]\nenabled = true\nlogpath = /x\n"
        "[nolog]\nenabled = true\nfilter = web\n"
        "[wrong]\nenabled = true\nlogpath = /x\nfilter = web\nmaxretry = many\n"
        "[loop]\nenabled = true\nlogpath = %(nowhere)s\nfilter = web\n"
        "[typo]\nenabled = ture\nlogpath = /x\nfilter = web\n"
        "[off]\nenabled = False\nlogpath = /x\nfilter = none\n"
        "[journal]\nenabled = true\nbackend = systemd\nfilter = web\n");
    const ReadJails made = read(all);
    REQUIRE(made.jails.size() == 2);
    CHECK(made.jails[0].growth.on);
    CHECK(made.jails[0].growth.most == seconds(5 * 7 * 86400));
    CHECK(made.jails[0].growth.over_all_jails);
    CHECK(made.jails[1].name == "journal");
    CHECK(made.jails[1].from_journal);
    const std::string text = notes(made);
    for (const char* said :
         {"/f/jail.conf:14: jail \"web\": ignorecommand: no program is run", "latin1",
          "usedns: names are never looked up", "bantime.formula: is a program",
          "jail \"many\": is not used", "maxlines = 3", "jail \"gone\": is not used",
          "jail \"nolog\": is not used", "jail \"wrong\": is not used",
          "maxretry: no number from 1 to 1000", "%(nowhere)s refers to nothing",
          "jail \"typo\": is not used", "enabled: ture: neither true nor false"}) {
        INFO(text);
        CHECK(text.contains(said));
    }
    CHECK_FALSE(text.contains("\"off\""));
}

TEST_CASE(
    "a jail that would open a port for whom it finds is not turned into one that shuts him out") {
    const ReadJails made =
        read(files("[web]\nenabled = true\nlogpath = /x\nblocktype = RETURN\n"
                   "action = a[x=\"1\"][blocktype=%(blocktype)s, returntype=DROP]\n"));
    CHECK(made.jails.empty());
    CHECK(notes(made).contains("jail \"web\": is not used: /f/jail.conf:15: action: lets in"));
    CHECK(read(files("[web]\nenabled = true\nlogpath = /x\naction = a[blocktype=DROP]\n"))
              .jails.size() == 1);
}

TEST_CASE("the same note of many jails is said once") {
    Notes all;
    for (int i = 0; i < 5; ++i)
        all.push_back({.kind = NoteKind::not_carried,
                       .origin = {"f", 1},
                       .jail = "j" + std::to_string(i),
                       .key = "action",
                       .text = "not run"});
    all.push_back(
        {.kind = NoteKind::not_carried, .origin = {"f", 2}, .jail = "j1", .key = "k", .text = "t"});
    const Notes made = merged(all);
    REQUIRE(made.size() == 2);
    CHECK(to_text(made[0]) ==
          "f:1: jail \"j0\", \"j1\", \"j2\": action: (and 2 other jails) not run");
    CHECK(to_text(made[1]) == "f:2: jail \"j1\": k: t");
}

TEST_CASE("a jail of our own policy is the same kind of jail") {
    JailRule rule;
    rule.name = "ollama-api";
    rule.logs = {"/var/log/ollama.log"};
    rule.match = {"Invalid API key from <HOST>"};
    rule.ignore = {"healthcheck"};
    rule.line = 7;
    const auto made = settings_of(rule, "p.toml", world_of({}), "/f");
    REQUIRE(made.has_value());
    CHECK(made->filter.failregex.at(0).text == "Invalid API key from <HOST>");
    CHECK(to_string(made->filter.failregex.at(0).origin) == "p.toml:7");
    CHECK(made->filter.ignoreregex.at(0).text == "healthcheck");
    CHECK_FALSE(made->from_journal);
    rule.match = {};
    rule.filter = "web[mode=strict]";
    rule.logs = {};
    rule.journals = {"web.service"};
    const auto by_filter = settings_of(rule, "p.toml", world_of(files("")), "/f");
    REQUIRE(by_filter.has_value());
    CHECK(by_filter->filter.failregex.at(0).text == "S <HOST>");
    CHECK(by_filter->from_journal);
    CHECK(by_filter->filter.journal.at(0).at(0) == "_SYSTEMD_UNIT=web.service");
    CHECK_FALSE(settings_of(rule, "p.toml", world_of({}), "/f").has_value());
}

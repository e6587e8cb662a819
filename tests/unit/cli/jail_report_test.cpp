// SPDX-License-Identifier: Apache-2.0
// `jail test` without a process: what FILTER means, and what is said of a log.
#include "cli/jail_report.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

using namespace sallyport;

namespace {

struct Place {
    std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("sp-jail-cli-" + std::to_string(::getpid()));
    Place() {
        std::filesystem::create_directories(path / "filter.d");
        put("filter.d/web.conf", "[Definition]\nfailregex = ^<m> from <HOST>$\nm = fail\n"
                                 "ignoreregex = probe\n");
        put("policy.toml",
            "schema = 1\n[host]\ninterfaces = [\"eth0\"]\n[[jail]]\nname = \"mine\"\n"
            "log = \"/x\"\nmatch = 'oops <HOST>'\nmax-retry = 2\nban-time = \"forever\"\n");
    }
    ~Place() { std::filesystem::remove_all(path); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    void put(const std::string& name, const std::string& text) const {
        std::ofstream(path / name) << text;
        std::filesystem::permissions(path / name, std::filesystem::perms(0600));
    }
    [[nodiscard]] Result<JailTarget> find(const std::string& text) const {
        return find_jail_target(text, {.policy = path / "policy.toml", .fail2ban = path});
    }
};

nlohmann::ordered_json judged(const JailTarget& target, const std::string& log) {
    auto jail = jail::Jail::make(target.settings, {}, jail::Times::of_lines);
    REQUIRE(jail.has_value());
    std::istringstream lines(log);
    const JailRun run = run_jail(*jail, lines, jail::LogTime(std::chrono::seconds(1'767'322'800)));
    CHECK_FALSE(
        jail_report_text(target, *jail, run, {.matched = true, .missed = true}).contains('\r'));
    return jail_report_json(target, *jail, run);
}

} // namespace

TEST_CASE("FILTER is a file, a jail of the policy, a filter's name or an expression") {
    const Place place;
    CHECK(place.find((place.path / "filter.d/web.conf").string())->kind == "filter file");
    CHECK(place.find("mine")->kind == "jail");
    CHECK(place.find("mine")->settings.max_retry == 2);
    CHECK(place.find("web")->kind == "filter");
    CHECK(place.find("web[m=other]")->settings.filter.failregex.at(0).text ==
          "^other from <HOST>$");
    CHECK(place.find("x <HOST>")->kind == "expression");
    const auto none = place.find("nothing");
    REQUIRE_FALSE(none.has_value());
    CHECK(none.error().kind == ErrorKind::invalid_input);
    CHECK_FALSE(place.find("/no/such/file.conf").has_value());
}

TEST_CASE("the report counts lines, and bans by the lines' own times") {
    const Place place;
    const auto target = place.find("mine");
    REQUIRE(target.has_value());
    const auto near = judged(*target, "2020-01-01 00:00:00 oops 192.0.2.1\nhello\n"
                                      "2020-01-01 00:09:59 oops 192.0.2.1\r\n");
    CHECK(near["lines"] == 3);
    CHECK(near["matched"] == 2);
    CHECK(near["missed"] == 1);
    REQUIRE(near["bans"].size() == 1);
    CHECK(near["bans"][0]["source"] == "192.0.2.1");
    CHECK(near["bans"][0]["seconds"].is_null());
    CHECK(near["bans"][0]["failures"] == 2);
    CHECK(near["judged"][1]["failures"][0]["fate"] == "banned");
    const auto far = judged(*target, "2020-01-01 00:00:00 oops 192.0.2.1\n"
                                     "2020-01-01 00:10:01 oops 192.0.2.1\n");
    CHECK(far["bans"].empty());
}

TEST_CASE("ignored and missed lines are told apart, and nothing escapes to the terminal") {
    const Place place;
    const auto target = place.find("web");
    REQUIRE(target.has_value());
    const auto made = judged(*target, "fail from 192.0.2.1\nfail from probe\n\x1b[2Jfail\nno\n" +
                                          std::string(70'000, 'x') + "\n");
    CHECK(made["matched"] == 1);
    CHECK(made["ignored"] == 1);
    CHECK(made["missed"] == 2);
    CHECK(made["too_long"] == 1);
    CHECK(made["lines"] == 5);
}

// SPDX-License-Identifier: Apache-2.0
// Jails at work over logs of the test's own and a clock that stands.
#include "daemon/jail_keeper.h"
#include "jail/disk.h"
#include "support/temp_dir.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <fstream>

using namespace sallyport;
using sallyport::test::TempDir;
using namespace std::chrono_literals;

namespace {

const jail::LogTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 3 / 10) + 12h;
const std::string kNoon = "2026-03-10 12:00:00 +0000 ";

struct Work {
    TempDir dir;
    std::vector<std::string> warnings;
    std::vector<std::string> asked; // "NAME SOURCE live", or "again"
    bool answer = true;
    std::map<std::string, unsigned> earlier;
    JailKeeper keeper = make();

    JailKeeper make() {
        Result<JailKeeper> made = JailKeeper::make(
            {.files = jail::disk_world(jail::Trust::anybody),
             .open_journal =
                 [this](const std::vector<std::vector<std::string>>& matches, jail::LogTime from) {
                     return jail::JournalFollower::make(matches, from, dir / "");
                 },
             .fail2ban = dir / "fail2ban",
             .now = [] { return kNow; }});
        SP_CHECK(made.has_value());
        return *std::move(made);
    }
    [[nodiscard]] JailRule rule(const std::string& name) const {
        JailRule made;
        made.name = name;
        made.logs = {dir / "log"};
        made.match = {"fail from <HOST>$"};
        made.max_retry = 2;
        made.growing = true;
        return made;
    }
    void follow(std::vector<JailRule> rules) {
        Policy policy;
        policy.jails = std::move(rules);
        warnings.clear();
        keeper.follow(
            policy, "policy.toml",
            [&](const std::string&, const std::function<void(const Prefix&, unsigned)>& call) {
                for (const auto& [who, times] : earlier) call(parse_prefix(who).value(), times);
            },
            warnings);
    }
    void pump() {
        keeper.pump(
            [&](const jail::BanRequest& request, Log log) {
                asked.push_back(request.jail + " " + to_string(request.source) +
                                (log == Log::live ? " live" : " again") + " after " +
                                std::to_string(request.earlier));
                return answer;
            },
            warnings);
    }
    void write(const std::string& text) const { std::ofstream(dir / "log", std::ios::app) << text; }
    void fail_twice(const std::string& who) const {
        for (int i = 0; i < 2; ++i) write(kNoon + "fail from " + who + "\n");
    }
    [[nodiscard]] std::string why(const std::string& name) const {
        const std::vector<JailStatus> states = keeper.states();
        const auto at = std::ranges::find(states, name, &JailStatus::name);
        return at == states.end() ? "there is none" : at->why;
    }
};

using Strings = std::vector<std::string>;

} // namespace

TEST_CASE("what was there at the start is read again, what comes then is live") {
    Work work;
    work.fail_twice("192.0.2.1");
    work.follow({work.rule("a")});
    work.pump();
    work.fail_twice("2001:db8::1");
    work.pump();
    CHECK(work.asked == Strings{"a 192.0.2.1 again after 0", "a 2001:db8::/64 live after 0"});
}

TEST_CASE("a jail that is the same goes on where it is, one that is not reads again") {
    Work work;
    work.follow({work.rule("a")});
    work.pump();
    work.fail_twice("192.0.2.1");
    work.pump();
    work.write(kNoon + "fail from 192.0.2.2\n");
    work.pump();
    work.follow({work.rule("b"), work.rule("a")});
    work.pump();
    CHECK(work.asked == Strings{"a 192.0.2.1 live after 0", "b 192.0.2.1 again after 0"});
    work.write(kNoon + "fail from 192.0.2.2\n");
    work.asked.clear();
    work.pump();
    std::ranges::sort(work.asked);
    CHECK(work.asked == Strings{"a 192.0.2.2 live after 0", "b 192.0.2.2 live after 0"});
    work.follow({});
    work.fail_twice("192.0.2.3");
    work.asked.clear();
    work.pump();
    CHECK(work.asked.empty());
    CHECK(work.keeper.states().empty());
}

TEST_CASE("bans of before the start make the next one longer, those that were refused do not") {
    Work work;
    work.earlier = {{"192.0.2.1", 3}};
    work.follow({work.rule("a")});
    work.pump();
    for (const bool answer : {false, true, true}) {
        work.answer = answer;
        work.fail_twice("192.0.2.1");
        work.pump();
    }
    CHECK(work.asked == Strings{"a 192.0.2.1 live after 3", "a 192.0.2.1 live after 3",
                                "a 192.0.2.1 live after 4"});
}

TEST_CASE("an expression that does not compile, a filter that is not there and a name that is "
          "taken are told, and the others work") {
    Work work;
    JailRule bad = work.rule("bad");
    bad.match = {"fail (from <HOST>"};
    JailRule gone = work.rule("gone");
    gone.match.clear();
    gone.filter = "nobody";
    work.follow({bad, gone, work.rule("a"), work.rule("a")});
    CHECK(work.warnings.size() == 3);
    CHECK(work.why("bad").contains("match"));
    CHECK(work.why("gone").contains("nobody"));
    CHECK(work.keeper.size() == 1);
    work.pump();
    work.fail_twice("192.0.2.1");
    work.pump();
    CHECK(work.asked == Strings{"a 192.0.2.1 live after 0"});
}

TEST_CASE("a journal that is not there is told once, and looked for again") {
    Work work;
    JailRule rule = work.rule("a");
    rule.logs.clear();
    rule.journals = {"a.service"};
    work.follow({rule});
    for (int i = 0; i < 3; ++i) {
        work.pump();
        work.keeper.look();
    }
    CHECK(work.warnings == Strings{"jail \"a\": there is no systemd journal on this machine"});
    CHECK(work.why("a") == "there is no systemd journal on this machine");
    CHECK(work.asked.empty());
}

TEST_CASE("a ban lasts from the line on, and is none when that is over") {
    const jail::BanRequest request{.jail = "a",
                                   .source = parse_prefix("192.0.2.1").value(),
                                   .who = parse_prefix("192.0.2.1").value(),
                                   .span = 60s,
                                   .at = kNow,
                                   .failures = 3,
                                   .line = "a\x1b[2J" + std::string(500, 'x')};
    const BanRequest asked = ban_asked_by(request, Log::live, kNow + 20s).value();
    CHECK(asked.duration == Milliseconds(40s));
    CHECK(asked.origin == "jail:a");
    CHECK(asked.reason.size() < 250);
    CHECK_FALSE(asked.reason.contains('\x1b'));
    CHECK_FALSE(asked.written_ms.has_value());
    CHECK(ban_asked_by(request, Log::read_again, kNow).value().written_ms.has_value());
    CHECK_FALSE(ban_asked_by(request, Log::read_again, kNow + 60s).has_value());
    jail::BanRequest endless = request;
    endless.span.reset();
    CHECK_FALSE(ban_asked_by(endless, Log::live, kNow + 60s).value().duration.has_value());
}

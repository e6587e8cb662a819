// SPDX-License-Identifier: Apache-2.0
#include "jail/judge.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::jail;
using namespace std::chrono;

namespace {

const LogTime kNow = sys_days(year(2026) / 3 / 10) + hours(12);

FilterSettings filter(std::vector<std::string> fail, std::vector<std::string> ignore = {}) {
    FilterSettings made;
    made.name = "t";
    made.zone_minutes = 0;
    for (const std::string& text : fail) made.failregex.push_back({text, {}, "failregex", 1});
    for (const std::string& text : ignore) made.ignoreregex.push_back({text, {}, "ignoreregex", 1});
    return made;
}
Judge judge_of(const FilterSettings& settings) {
    auto made = Judge::make(settings);
    REQUIRE(made.has_value());
    return std::move(*made);
}
// Whom a line accuses, each with a space; "-" when it matches and accuses nobody.
std::string accused(Judge& judge, std::string_view line) {
    const Verdict verdict = judge.judge(line, kNow);
    std::string text;
    for (const Failure& failure : verdict.failures)
        text += failure.network ? to_string(*failure.network) : "(" + failure.who + ")";
    if (verdict.outcome == Outcome::matched && text.empty()) return "-";
    return verdict.outcome == Outcome::ignored ? "ignored" : text;
}
std::string accused(const FilterSettings& settings, std::string_view line) {
    Judge judge = judge_of(settings);
    return accused(judge, line);
}

} // namespace

TEST_CASE("<HOST> takes addresses of both families, and names, which nobody looks up") {
    const FilterSettings host = filter({"^fail from <HOST>$"});
    CHECK(accused(host, "fail from 192.0.2.1") == "192.0.2.1");
    CHECK(accused(host, "fail from 2001:db8::1") == "2001:db8::1");
    CHECK(accused(host, "fail from [2001:db8::1]") == "2001:db8::1");
    CHECK(accused(host, "fail from ::ffff:192.0.2.1") == "192.0.2.1");
    CHECK(accused(host, "fail from host.example") == "(host.example)");
    CHECK(accused(host, "fail from 999.0.2.1") == "(999.0.2.1)");
    CHECK(accused(host, "fail from nobody at all") == "");
    FilterSettings no_names = host;
    no_names.names = Names::refuse;
    CHECK(accused(no_names, "fail from host.example") == "");
    CHECK(accused(no_names, "fail from 192.0.2.1") == "192.0.2.1");
}

TEST_CASE("the other tags for addresses") {
    CHECK(accused(filter({"^x <ADDR>$"}), "x host.example") == "");
    CHECK(accused(filter({"^x <ADDR>$"}), "x 2001:db8::2") == "2001:db8::2");
    CHECK(accused(filter({"^x <IP4>$"}), "x 2001:db8::2") == "");
    CHECK(accused(filter({"^x <IP6>$"}), "x 192.0.2.1") == "");
    CHECK(accused(filter({"^x <SUBNET>$"}), "x 192.0.2.77/24") == "192.0.2.0/24");
    CHECK(accused(filter({"^x <ADDR>/<CIDR>$"}), "x 2001:db8::2/48") == "2001:db8::/48");
    CHECK(accused(filter({"^x <ADDR>/<CIDR>$"}), "x 192.0.2.1/99") == "(192.0.2.1)");
    CHECK(accused(filter({"^x <DNS>$"}), "x a.b") == "(a.b)");
    CHECK(accused(filter({"^x <F-ID>\\S+</F-ID>$"}), "x 192.0.2.9") == "192.0.2.9");
    CHECK(accused(filter({"^x <F-ID/> <ADDR>$"}), "x id 192.0.2.9") == "192.0.2.9");
}

TEST_CASE("an address in what the attacker chose is not the one that is accused") {
    const FilterSettings sshd = filter(
        {R"(^Failed password for (?:invalid user )?<F-USER>.*</F-USER> from <HOST>( port \d+)?( ssh2)?$)"});
    CHECK(accused(sshd, "Failed password for invalid user root from 10.0.0.1 port 1 ssh2 from "
                        "192.0.2.7 port 22 ssh2") == "192.0.2.7");
    CHECK(accused(sshd, "Failed password for x from 10.0.0.1\r from 192.0.2.7 port 22 ssh2") ==
          "192.0.2.7");
    const std::string nul =
        std::string("Failed password for a") + '\0' + " from 10.0.0.1 from 192.0.2.7";
    CHECK(accused(sshd, nul) == "192.0.2.7");
    CHECK(accused(sshd, "Failed password for \xff\xc3 from 10.0.0.1 \x80 from 192.0.2.7") ==
          "192.0.2.7");
    // A line within a line is no line.
    CHECK(accused(sshd, "x: Failed password for a from 10.0.0.1") == "");
}

TEST_CASE("prefregex comes first, and its content is all that the others see") {
    FilterSettings made = filter({"^fail from <HOST>$"});
    made.prefregex = Pattern{"^app: <F-CONTENT>.+</F-CONTENT>$", {}, "prefregex", 1};
    CHECK(accused(made, "app: fail from 192.0.2.1") == "192.0.2.1");
    CHECK(accused(made, "fail from 192.0.2.1") == "");
}

TEST_CASE("an ignoreregex acquits, and only the lines that it matches") {
    const FilterSettings made = filter({"^fail from <HOST>$"}, {"from 192\\.0\\.2\\.1$"});
    CHECK(accused(made, "fail from 192.0.2.1") == "ignored");
    CHECK(accused(made, "fail from 192.0.2.2") == "192.0.2.2");
    CHECK(accused(made, "hello from 192.0.2.1") == "");
}

TEST_CASE("an alternate stands in for a group that is empty") {
    Judge judge =
        judge_of(filter({R"(^u=<F-ALT_USER>\S*</F-ALT_USER> v=<F-USER>\S*</F-USER> <HOST>$)"}));
    const Verdict first = judge.judge("u=a v= 192.0.2.1", kNow);
    REQUIRE(first.failures.size() == 1);
    CHECK(found_in(first.failures[0].facts.groups, "user") == "a");
    const Verdict second = judge.judge("u=a v=b 192.0.2.1", kNow);
    CHECK(found_in(second.failures[0].facts.groups, "user") == "b");
}

TEST_CASE("lines of one connection are one story") {
    FilterSettings made = filter({"^<F-NOFAIL>connect from</F-NOFAIL> <HOST>$", "^wrong key$",
                                  "^<F-MLFGAINED>welcome</F-MLFGAINED> <F-USER>\\S+</F-USER>$",
                                  "^bad <F-USER>\\S+</F-USER>$"});
    made.prefregex =
        Pattern{R"(^\[<F-MLFID>\d+</F-MLFID>\] <F-CONTENT>.+</F-CONTENT>$)", {}, "prefregex", 1};
    Judge judge = judge_of(made);
    CHECK(accused(judge, "[1] connect from 192.0.2.1") == "-");
    CHECK(accused(judge, "[1] wrong key") == "192.0.2.1");
    CHECK(accused(judge, "[2] wrong key") == "-"); // whose, is not known yet
    CHECK(accused(judge, "[2] connect from 192.0.2.2") == "192.0.2.2");
    CHECK(accused(judge, "[3] connect from 192.0.2.3") == "-");
    CHECK(accused(judge, "[3] welcome bob") == "-");
    // Two names in one connection: the welcome does not undo it.
    CHECK(accused(judge, "[4] connect from 192.0.2.4") == "-");
    CHECK(accused(judge, "[4] bad eve") == "192.0.2.4");
    CHECK(accused(judge, "[4] welcome bob") == "192.0.2.4");
    CHECK(judge.connections() == 4);
}

TEST_CASE("connections without end do not fill the memory") {
    Connections connections;
    for (int i = 0; i < 20'000; ++i)
        static_cast<void>(connections.merge("c" + std::to_string(i), {{"user", "x"}}, kNow));
    CHECK(connections.size() == 4096);
    static_cast<void>(connections.merge("last", {}, kNow + minutes(6)));
    CHECK(connections.size() == 1); // the others have been silent too long
    for (int i = 0; i < 200; ++i)
        static_cast<void>(connections.merge(
            "d" + std::to_string(i), {{"user", std::string(60'000, 'x')}}, kNow + minutes(6)));
    CHECK(connections.size() < 60);
}

TEST_CASE("a line that is too long is not judged, the longest that may be is") {
    Judge judge = judge_of(filter({"from <HOST>$"}));
    const std::string tail = " from 192.0.2.1";
    CHECK(accused(judge, std::string(kLineMax - tail.size(), 'x') + tail) == "192.0.2.1");
    CHECK(judge.judge(std::string(kLineMax, 'x') + tail, kNow).outcome == Outcome::too_long);
}

TEST_CASE("a line that costs too much is told apart from one that does not match") {
    Judge judge = judge_of(filter({"^(a+)+ <HOST>$"}));
    CHECK(judge.judge(std::string(50'000, 'a') + "! 192.0.2.1", kNow).outcome ==
          Outcome::too_costly);
    CHECK(judge.judge("b 192.0.2.1", kNow).outcome == Outcome::missed);
}

TEST_CASE("the time of a failure is the line's own, else that of the line before") {
    Judge judge = judge_of(filter({"fail from <HOST>"}));
    const auto time = [&](std::string_view line) {
        return judge.judge(line, kNow).failures.at(0).time;
    };
    CHECK(time("fail from 192.0.2.1") == std::nullopt);
    CHECK(time("2026-03-10 11:59:30 fail from 192.0.2.1") == kNow - seconds(30));
    CHECK(time("fail from 192.0.2.1") == kNow - seconds(30));
    CHECK(time("2026-03-10 10:00:00 fail from 192.0.2.1") == kNow - hours(2));
    CHECK(time("fail from 192.0.2.1") == std::nullopt); // too long ago to go by
    const Verdict known = judge.judge("fail from 192.0.2.1", kNow, kNow - hours(1));
    CHECK(known.failures.at(0).time == kNow - hours(1));
}

// SPDX-License-Identifier: Apache-2.0
// A span against the one before it, in bounded room, and forms that nobody's name breaks.
#include "report/report.h"
#include "report/words.h"
#include "support/events.h"
#include "support/golden.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>
#include <numeric>

using namespace sallyport;
using namespace sallyport::report;
using namespace sallyport::test;
using namespace std::chrono_literals;

namespace {

// Seven days that end with some_time()'s day.
Span week() {
    const WallTime end = std::chrono::floor<std::chrono::days>(some_time()) + 24h;
    return {.from = end - 24h * 7, .to = end};
}

Event at(Event event, std::chrono::seconds after_from) {
    event.at = week().from + after_from;
    event.repeats = 1;
    return event;
}

Event over_limit(std::chrono::seconds when) {
    Event event = at(refused_syn("198.51.100.9", 11434), when);
    event.reason = SP_REASON_OVER_LIMIT;
    event.rule = "ollama";
    return event;
}

Event banned(const std::string& network, const std::string& origin) {
    Event event = at(Event{}, 3h);
    event.kind = EventKind::ban;
    event.network = parse_prefix(network).value();
    event.origin = origin;
    return event;
}

Event changed(EventKind kind, EventState state, std::chrono::seconds when) {
    Event event = at(Event{}, when);
    event.kind = kind;
    event.state = state;
    event.generation = 4;
    event.sha256 = std::string(64, 'a');
    event.detail = "by | someone `<b>`";
    return event;
}

Report of(const std::vector<Event>& events) {
    Collector collector("gpu-07", week());
    for (const Event& event : events) collector.take(event);
    return collector.finish();
}

std::vector<Event> a_bad_week() {
    std::vector<Event> events;
    for (int day = 0; day < 14; ++day) // half of them the week before
        for (int hour = 0; hour < 24; hour += 4) {
            events.push_back(at(refused_syn(), 24h * (day - 7) + 1h * hour));
            events.back().repeats = static_cast<std::uint64_t>(day + 1);
        }
    events.push_back(at(refused_syn("2001:db8:1:2::9", 11434), 30h));
    events.push_back(at(refused_syn("2001:db8:1:2::a", 11434), 31h));
    events.push_back(over_limit(50h));
    events.back().repeats = 412;
    for (int i = 0; i < 3; ++i) events.push_back(at(exfil_attempt(), 60h + 1h * i));
    events.push_back(at(exfil_attempt(), 70h));
    events.back().comm = "cu`rl|<script>";
    events.back().container_name = "rag";
    events.back().user = "ml";
    events.push_back(at(exfil_attempt(), 71h));
    events.back().exfil = false;
    events.back().kind = EventKind::would_drop;
    events.push_back(banned("203.0.113.9/32", "jail:web"));
    events.push_back(at(lost_events(LostBy::ring_full, 12), 80h));
    events.push_back(changed(EventKind::policy, EventState::applied, 90h));
    events.push_back(changed(EventKind::hook, EventState::attached, 90h));
    events.push_back(changed(EventKind::hook, EventState::lost, 89h));
    return events;
}

std::uint64_t sum(const std::vector<std::uint64_t>& values) {
    return std::accumulate(values.begin(), values.end(), std::uint64_t{0});
}

const Curve& curve(const Report& report, Series series) {
    return report.curves[static_cast<std::size_t>(series)];
}

} // namespace

TEST_CASE("each thing is counted in its span, its bucket and its curve") {
    const Report report = of(a_bad_week());
    CHECK(report.bucket == 3h);
    const Curve& arriving = curve(report, Series::arriving);
    CHECK(arriving.now.size() == 56);
    CHECK(arriving.total == 6 * (8 + 9 + 10 + 11 + 12 + 13 + 14) + 2 + 412);
    CHECK(arriving.total_before == 6 * (1 + 2 + 3 + 4 + 5 + 6 + 7));
    CHECK(arriving.now[0] == 8);
    CHECK(arriving.before[0] == 1);
    CHECK(curve(report, Series::leaving).total == 5);
    CHECK(curve(report, Series::exfil).total == 4);
    CHECK(curve(report, Series::limited).total == 412);
    CHECK(curve(report, Series::bans).total == 1);
    for (const Curve& one : report.curves) {
        CHECK(sum(one.now) == one.total);
        CHECK(sum(one.before) == one.total_before);
    }
    CHECK(report.would_have_been == 1);
    CHECK(report.lost.at("ring-full") == 12);
    REQUIRE(report.reaches_back);
    CHECK(*report.reaches_back == week().before());
}

TEST_CASE("who came most is told, a /64 as one, and who is new") {
    const Report report = of(a_bad_week());
    REQUIRE(report.sources.top.size() == 3);
    CHECK(report.sources.top[0] == Ranked{"192.0.2.7", 462, false});
    CHECK(report.sources.top[1] == Ranked{"198.51.100.9", 412, true});
    CHECK(report.sources.top[2] == Ranked{"2001:db8:1:2::/64", 2, true});
    CHECK(report.ports.top[0].name == "tcp 22");
    CHECK(report.limits.top == std::vector<Ranked>{{"ollama", 412, true}});
    CHECK(report.banned.top == std::vector<Ranked>{{"203.0.113.9, by jail:web", 1, true}});
    CHECK(report.destinations.top[0].name == "203.0.113.9, tcp 443");
    REQUIRE(report.attempts.size() == 2);
    CHECK(report.attempts[0].count == 3);
    CHECK(report.attempts[0].at == week().from + 60h);
    CHECK(report.attempts[0].text == "python3, ollama.service, uid 1001 to 203.0.113.9, tcp 443");
    CHECK(report.attempts[1].text == "cu`rl|<script>, container rag, ml to 203.0.113.9, tcp 443");
}

TEST_CASE("changes stand in the order of their time, and that a hook was attached is no news") {
    const Report report = of(a_bad_week());
    REQUIRE(report.changes.size() == 2);
    CHECK(report.changes[0].text.starts_with("hook lost"));
    CHECK(report.changes[1].text.starts_with("policy applied, generation 4, aaaaaaaaaaaa"));
}

TEST_CASE("what is of neither span is passed over, the edges as they are said") {
    const Report report =
        of({at(refused_syn(), -24h * 7 - 1s), at(refused_syn(), -24h * 7), at(refused_syn(), -1s),
            at(refused_syn(), 0s), at(refused_syn(), 24h * 7 - 1s), at(refused_syn(), 24h * 7)});
    CHECK(curve(report, Series::arriving).total == 2);
    CHECK(curve(report, Series::arriving).total_before == 2);
    CHECK(report.events == 2);
}

TEST_CASE("a span of any length has a number of bars that a page can hold") {
    for (const std::chrono::seconds length :
         {1s, 59s, 60s, 3600s, 86400s, 604800s, 2592000s, 31536000s, 315360000s}) {
        Collector collector("h", {.from = some_time() - length, .to = some_time()});
        Event event = refused_syn();
        event.at = some_time() - 1us;
        collector.take(event);
        const Report report = collector.finish();
        CHECK(report.curves[0].now.size() >= 1);
        CHECK(report.curves[0].now.size() <= 61);
        CHECK(report.curves[0].total == 1);
    }
}

TEST_CASE("room is bounded, whoever knocks") {
    Collector collector("h", week());
    for (std::uint32_t i = 0; i < 100'000; ++i) {
        Event event = at(exfil_attempt(), 1h);
        event.comm = fmt::format("p{}", i);
        collector.take(event);
        collector.take(
            at(refused_syn(fmt::format("10.{}.{}.{}", i >> 16, (i >> 8) & 255, i & 255)), 2h));
        collector.take(changed(EventKind::policy, EventState::applied, 3h));
    }
    const Report report = collector.finish();
    CHECK(report.attempts.size() == 20);
    CHECK(report.more_attempts == 100'000 - 20);
    CHECK(report.changes.size() == 50);
    CHECK(report.more_changes == 100'000 - 50);
    CHECK(report.sources.top.size() <= 10);
    CHECK(report.sources.short_by > 0);
    CHECK(curve(report, Series::arriving).total == 100'000);
}

TEST_CASE("who is tried again and again is told, however many others are made up beside him") {
    Collector collector("h", week());
    for (std::uint32_t i = 0; i < 20'000; ++i) {
        collector.take(at(exfil_attempt(), 1h));
        Event event = at(exfil_attempt(), 1h);
        event.comm = fmt::format("p{}", i);
        collector.take(event);
    }
    const Report report = collector.finish();
    REQUIRE(!report.attempts.empty());
    CHECK(report.attempts[0].count == 20'000);
}

TEST_CASE("the latest changes are told, and a log from elsewhere by its own name") {
    Collector collector("h", week());
    for (int i = 0; i < 1000; ++i) {
        Event event = changed(EventKind::policy, EventState::applied, 1h * ((i * 7) % 100));
        event.host = "gpu-99";
        collector.take(event);
    }
    const Report report = collector.finish();
    CHECK(report.changes.size() == 50);
    CHECK(report.changes.front().at == week().from + 95h);
    CHECK(report.more_changes == 950);
    CHECK(report.host == "gpu-99");
}

TEST_CASE("a table of which all were forgotten says so") {
    const Ranks ranks{.top = {}, .others = 0, .short_by = 7};
    CHECK_FALSE(ranks.is_empty());
    CHECK(Ranks{}.is_empty());
    CHECK(rest_of(ranks) == "Counts may be short by up to 7.");
}

TEST_CASE("the forms are as the golden files have them") {
    const Report report = of(a_bad_week());
    const std::string markdown = to_markdown(report);
    CHECK(markdown == golden("report/report.md", markdown));
    const std::string html = to_html(report);
    CHECK(html == golden("report/report.html", html));
    CHECK(to_json(report)["curves"]["exfil"]["total"] == 4);
}

TEST_CASE("no name of others' is markup, steers a terminal, or ends a cell") {
    Event event = at(exfil_attempt(), 1h);
    event.comm = "<b>x</b>|\x1b[2J\n# y `z` [l](http://h) &amp; \"q\" 'p'";
    const Report report = of({event});
    const std::string html = to_html(report);
    CHECK(html.find("<b>x") == std::string::npos);
    CHECK(html.find("&lt;b&gt;x") != std::string::npos);
    const std::string markdown = to_markdown(report);
    CHECK(markdown.find("\\|") != std::string::npos);
    CHECK(markdown.find("\n# y") == std::string::npos);
    CHECK(markdown.find("[l]") == std::string::npos);
    for (const std::string& text : {html, markdown}) CHECK(text.find('\x1b') == std::string::npos);
}

TEST_CASE("an empty report says so, and that the log may be short") {
    const Report nothing = of({});
    CHECK(headline(nothing) == "Nothing was refused.");
    REQUIRE(caveats(nothing).size() == 1);
    CHECK(to_markdown(nothing).find("no event of this time") != std::string::npos);
    CHECK(to_html(nothing).find("Nothing was refused.") != std::string::npos);
    const Report recent = of({at(refused_syn(), 1h)});
    CHECK(caveats(recent)[0].find("what came before is not in these numbers") != std::string::npos);
    const Report half = of({at(refused_syn(), -1h)});
    CHECK(caveats(half)[0].find("the comparison with the time before") != std::string::npos);
}

TEST_CASE("a trend reads as people say it") {
    CHECK(trend_text(0, 0) == "the same");
    CHECK(trend_text(5, 0) == "new");
    CHECK(trend_text(0, 5) == "-100 %");
    CHECK(trend_text(150, 100) == "+50 %");
    CHECK(trend_text(99, 100) == "-1 %");
    CHECK(trend_text(5000, 100) == "50 times");
    CHECK(grouped(0) == "0");
    CHECK(grouped(999) == "999");
    CHECK(grouped(1000) == "1,000");
    CHECK(grouped(1234567) == "1,234,567");
}

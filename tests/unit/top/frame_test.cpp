// SPDX-License-Identifier: Apache-2.0
// The screen at sizes that people have, and what may never happen on it.
#include "support/events.h"
#include "support/golden.h"
#include "top/frame.h"

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

using namespace sallyport;
using namespace sallyport::top;
using namespace sallyport::test;
using namespace std::chrono_literals;

namespace {

const SteadyTime kStart{1h};
constexpr Look kPlain{.colour = Colour::never, .has_blocks = true, .zone = Zone::utc};

Counts counts_after(int seconds) {
    Counts counts;
    counts.state = "protected";
    counts.mode = "enforce";
    counts.generation = 3;
    counts.hooks = counts.attached = 6;
    counts.flows = 1234;
    counts.flows_max = 262144;
    counts.bans = 2;
    const auto s = static_cast<std::uint64_t>(seconds);
    counts.streams[0] = {.packets = 1200 * s, .bytes = 900'000 * s};
    counts.streams[1] = {.packets = 15 * s * s, .bytes = 60 * 15 * s * s};
    counts.streams[2] = {.packets = 800 * s, .bytes = 12'000'000 * s};
    counts.streams[3] = {.packets = s / 4, .bytes = 0};
    counts.rules = {
        {.name = "ssh", .direction = "ingress", .admitted = 3, .refused = 0, .bytes = 100},
        {.name = "ollama from the proxy",
         .direction = "ingress",
         .admitted = 40 * s,
         .refused = s,
         .bytes = 1}};
    counts.reasons = {{"no-rule", 15 * s * s}, {"over-limit", s}};
    return counts;
}

Model busy() {
    Model model;
    for (int second = 1; second <= 20; ++second)
        model.take(counts_after(second), some_time(), kStart + second * 1s);
    for (int i = 1; i <= 9; ++i) {
        Event event = refused_syn(fmt::format("192.0.2.{}", i));
        event.repeats = static_cast<std::uint64_t>(100 / i);
        model.take(event, kStart + 19s);
    }
    model.take(refused_syn("2001:db8:1234:5678:9abc:def0:1234:5678", 11434), kStart + 20s);
    model.take(exfil_attempt(), kStart + 20s);
    Event hostile = exfil_attempt();
    hostile.comm = "\x1b]0;x\a\n\xe2\x80\xae\xc3\xa4";
    hostile.unit = "";
    hostile.dst = addr("2001:db8::9");
    hostile.at += 1s;
    model.take(hostile, kStart + 20s);
    return model;
}

std::vector<std::string> drawn(const Model& model, View view, Size size, Look look = kPlain) {
    return draw(model, view, {.wall = some_time(), .steady = kStart + 20s}, size, look);
}

std::string text_of(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) {
        text += line;
        while (text.ends_with(' ')) text.pop_back();
        text += '\n';
    }
    return text;
}

// Of ASCII and blocks each character is one.
std::size_t columns(const std::string& line) {
    std::size_t count = 0;
    for (const char c : line) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1u : 0u;
    return count;
}

} // namespace

TEST_CASE("the screens are as they were looked at") {
    const Model model = busy();
    std::string all;
    for (const Panel panel : {Panel::overview, Panel::sources, Panel::rules, Panel::attempts}) {
        View view;
        view.panel = panel;
        all += text_of(drawn(model, view, {})) + std::string(80, '=') + "\n";
    }
    View help;
    help.shows_help = true;
    all += text_of(drawn(model, help, {})) + std::string(80, '=') + "\n";
    all += text_of(drawn(model, {}, {.columns = 60, .rows = 18})) + std::string(80, '=') + "\n";
    CHECK(all == golden("top/screens.txt", all));
}

TEST_CASE("no line is wider than the terminal, no screen higher, at any size") {
    const Model model = busy();
    for (std::size_t width = 1; width <= 200; width += 3)
        for (std::size_t height = 1; height <= 60; height += 3)
            for (std::size_t panel = 0; panel < kPanels; ++panel) {
                View view;
                view.panel = static_cast<Panel>(panel);
                view.filter = panel == 2 ? "2" : "";
                view.is_typing = panel == 3;
                view.shows_help = panel == 4;
                const auto lines = drawn(model, view, {.columns = width, .rows = height});
                REQUIRE(lines.size() == height);
                for (const std::string& line : lines) REQUIRE(columns(line) <= width);
            }
}

TEST_CASE("what a process calls itself steers no terminal") {
    for (const Panel panel : {Panel::overview, Panel::processes, Panel::attempts}) {
        View view;
        view.panel = panel;
        for (const std::string& line : drawn(busy(), view, {.columns = 160, .rows = 40}))
            for (const char c : line) REQUIRE((static_cast<unsigned char>(c) >= 0x20 && c != 0x7f));
    }
}

TEST_CASE("without colours there is no escape, without blocks nothing but ASCII") {
    for (const std::string& line :
         drawn(busy(), {}, {}, {.colour = Colour::never, .has_blocks = false, .zone = Zone::utc}))
        for (const char c : line) REQUIRE((c >= ' ' && c <= '~'));
    std::string painted;
    for (const std::string& line :
         drawn(busy(), {}, {}, {.colour = Colour::always, .has_blocks = true, .zone = Zone::utc})) {
        painted += line;
        const auto last = line.rfind("\033[");
        if (last != std::string::npos) CHECK(line.substr(last, 4) == "\033[0m");
    }
    CHECK(painted.contains("\033[32mPROTECTED\033[0m"));
}

TEST_CASE("a filter shows what has its letters, in any case, and says so") {
    View view;
    view.panel = Panel::sources;
    view.filter = "2001:DB8";
    const std::string text = text_of(drawn(busy(), view, {}));
    CHECK(text.contains("2001:db8:1234"));
    CHECK_FALSE(text.contains("192.0.2.1"));
    CHECK(text.contains("filter: 2001:DB8"));
    view.filter = "nobody";
    CHECK(text_of(drawn(busy(), view, {})).contains("nothing that the filter lets through"));
}

TEST_CASE("rows are in the order that was asked for") {
    View view;
    view.panel = Panel::sources;
    const auto places = [&](const View& as) {
        const std::string text = text_of(drawn(busy(), as, {.columns = 120, .rows = 40}));
        return std::pair(text.find("192.0.2.1 "), text.find("192.0.2.9 "));
    };
    CHECK(places(view).first < places(view).second);
    view.is_reversed = true;
    CHECK(places(view).first > places(view).second);
    view.sort = Sort::name;
    CHECK(places(view).first > places(view).second);
}

TEST_CASE("what is scrolled past stays within what there is") {
    const Model model = busy();
    View view;
    view.panel = Panel::sources;
    view.first = 1'000'000;
    const auto lines = draw(model, view, {.wall = some_time(), .steady = kStart + 20s}, {}, kPlain);
    CHECK(view.first <= 10);
    CHECK(view.page == 15);
    CHECK(text_of(lines).contains("192.0.2."));
}

TEST_CASE("a wall that is not well is not called well") {
    Model model;
    Counts counts = counts_after(1);
    counts.state = "not-protected";
    counts.why = "no policy is loaded";
    model.take(counts, some_time(), kStart);
    std::string text = text_of(drawn(model, {}, {}));
    CHECK(text.contains("NOT PROTECTED"));
    CHECK(text.contains("no policy is loaded"));
    counts.state = "observing";
    model.take(counts, some_time(), kStart + 1s);
    CHECK(text_of(drawn(model, {}, {})).contains("nothing is dropped"));
    model.set_trouble("the daemon has ended");
    CHECK(text_of(drawn(model, {}, {})).contains("the daemon has ended"));
    CHECK(text_of(drawn(Model(), {}, {})).contains("asking"));
}

TEST_CASE("numbers are short, and never nothing of something") {
    const std::pair<double, const char*> known[] = {
        {0, "0"},        {0.04, "0"},     {0.1, "0.1"},     {9.94, "9.9"},    {9.96, "10"},
        {999.4, "999"},  {999.6, "1.0k"}, {12345, "12.3k"}, {999499, "999k"}, {999501, "1.0M"},
        {4.5e9, "4.5G"}, {7.2e12, "7T"},  {1e30, "much"},
    };
    for (const auto& [number, text] : known) CHECK(short_number(number) == text);
}

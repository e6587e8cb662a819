// SPDX-License-Identifier: Apache-2.0
#include "top/frame.h"

#include "top/panels.h"

#include <algorithm>
#include <fmt/format.h>

namespace sallyport::top {
namespace {

constexpr Size kLeast{.columns = 40, .rows = 10};
constexpr std::size_t kTwoColumns = 70; // from this width on panels stand side by side
constexpr std::size_t kRowsForTraffic = 16;

constexpr std::string_view kHelp[] = {
    "0-6, Tab    the overview, or one panel whole",
    "j k, arrows, PgUp PgDn Home End    scroll a whole panel",
    "s           sort by rate, total, name or the latest; r turns it round",
    "/           show only what has these letters; Enter keeps, Escape clears",
    "p, space    pause: the screen stands still, counting goes on",
    "q, Ctrl-C   leave",
    "",
    "Rates of sources, destinations and processes are of events, over about 10 s;",
    "rules, reasons and the streams above are the wall's own counters.",
    "An attempt to leave is a refused way out of [exfil] inside.",
};

using Lines = std::vector<std::string>;

std::string state_word(const Counts& counts) {
    if (counts.state == "protected") return "PROTECTED";
    if (counts.state == "observing") return "OBSERVING: nothing is dropped";
    return counts.state.empty() ? "asking" : "NOT PROTECTED";
}

Style state_style(const Counts& counts) {
    if (counts.state == "protected") return Style::good;
    return counts.state == "observing" || counts.state.empty() ? Style::warn : Style::alarm;
}

Line title_line(const Model& model, const View& view, const Moment& now, const Size& size,
                const Look& look) {
    const Counts& counts = model.counts();
    Line line(size.columns, look);
    line.add("sallyport", Style::strong).add("  ").add(model.host()).add("  ");
    line.add(state_word(counts), state_style(counts));
    if (counts.generation != 0) line.add(fmt::format("  generation {}", counts.generation));
    if (!counts.trial.empty()) line.add("  ").add(counts.trial, Style::warn);
    if (view.is_paused) line.add("  ").add("PAUSED", Style::title);
    const std::string clock = time_text(now.wall, look.zone);
    if (line.room() > clock.size()) line.right(clock, line.room());
    return line;
}

Line health_line(const Model& model, const Size& size, const Look& look) {
    const Counts& counts = model.counts();
    Line line(size.columns, look);
    if (!model.trouble().empty()) return line.add(model.trouble(), Style::alarm);
    if (!counts.why.empty()) return line.add(counts.why, Style::alarm);
    line.add(fmt::format("exfil {}", short_count(model.attempts_total())),
             model.attempts_total() != 0 ? Style::alarm : Style::plain);
    line.add("   ").add(fmt::format("hooks {} of {}", counts.attached, counts.hooks),
                        counts.attached < counts.hooks ? Style::alarm : Style::plain);
    line.add("   ").add(
        fmt::format("flows {} of {}", short_count(counts.flows), short_count(counts.flows_max)),
        counts.flows > counts.flows_max / 10 * 9 ? Style::warn : Style::plain);
    line.add("   ").add(fmt::format("events lost {}", short_count(counts.events_lost)),
                        counts.events_lost != 0 ? Style::warn : Style::plain);
    line.add("   ").add(fmt::format("bans {}", short_count(counts.bans)));
    return line;
}

Line stream_line(const Model& model, Stream stream, std::string_view name, const Size& size,
                 const Look& look) {
    const Meter& meter = model.meter(stream);
    const bool is_drop = name.ends_with("dropped");
    const Style style = is_drop ? Style::warn : Style::good;
    Line line(size.columns, look);
    line.left(name, 17).right(short_number(meter.packets_per_second()), 10);
    // Attempts that sockets were refused have no bytes.
    line.right(short_number(meter.bits_per_second()), 10).add("  ");
    return line.spark(meter.history(), line.room(), style);
}

void add_traffic(Lines& lines, const Model& model, const Size& size, const Look& look) {
    Line head(size.columns, look);
    head.left("", 17).right("packets/s", 10, Style::dim).right("bits/s", 10, Style::dim);
    lines.push_back(head.take());
    const auto put = [&](Stream stream, std::string_view name) {
        lines.push_back(stream_line(model, stream, name, size, look).take());
    };
    put(Stream::in_admitted, "in      admitted");
    put(Stream::in_dropped, "        dropped");
    put(Stream::out_admitted, "out     admitted");
    put(Stream::out_dropped, "        dropped");
    if (!model.counts().is_routing) return;
    put(Stream::through_admitted, "through admitted");
    put(Stream::through_dropped, "        dropped");
}

Line key_line(const View& view, const Size& size, const Look& look) {
    Line line(size.columns, look);
    if (view.is_typing)
        return line.add("/", Style::strong)
            .add(view.filter)
            .add("_  ")
            .add("Enter keeps, Escape clears", Style::dim);
    const auto key = [&](std::string_view name, std::string_view what) {
        line.add(name, Style::strong).add(" ").add(what, Style::dim).add("  ");
    };
    key("q", "quit");
    key("?", "help");
    key("p", view.is_paused ? "go on" : "pause");
    key("s", fmt::format("sort: {}{}", to_string(view.sort), view.is_reversed ? ", reversed" : ""));
    key("/", view.filter.empty() ? "filter" : fmt::format("filter: {}", view.filter));
    key("0-6", "panels");
    return line;
}

Lines side_by_side(const Lines& a, const Lines& b) {
    Lines both;
    for (std::size_t i = 0; i < a.size(); ++i) both.push_back(a[i] + "  " + b[i]);
    return both;
}

// What the parts of the body share.
struct Body {
    const Model& model;
    const View& view;
    SteadyTime now;
    const Look& look;
    [[nodiscard]] Lines panel(Panel which, std::size_t width, std::size_t height) const {
        return draw_panel(which, rows_of(model, which, view, now), view,
                          {.width = width, .height = height, .is_whole = false}, look);
    }
};

void append(Lines& to, Lines lines) {
    for (std::string& line : lines) to.push_back(std::move(line));
}

Lines overview(const Body& body, const Size& room) {
    Lines lines;
    if (room.columns < kTwoColumns) {
        // As many as have room for a title and two rows.
        const Panel order[] = {Panel::attempts, Panel::sources, Panel::destinations, Panel::rules,
                               Panel::processes};
        const std::size_t count = std::clamp<std::size_t>(room.rows / 3, 1, std::size(order));
        for (std::size_t i = 0; i < count; ++i)
            append(lines, body.panel(order[i], room.columns, room.rows / count));
        return lines;
    }
    const std::size_t left = (room.columns - 2) / 2;
    const std::size_t right = room.columns - 2 - left;
    const std::size_t attempts = room.rows / 4;
    const std::size_t upper = (room.rows - attempts + 1) / 2;
    const std::size_t lower = room.rows - attempts - upper;
    append(lines, side_by_side(body.panel(Panel::sources, left, upper),
                               body.panel(Panel::destinations, right, upper)));
    append(lines, side_by_side(body.panel(Panel::rules, left, lower),
                               body.panel(Panel::processes, right, lower)));
    append(lines, body.panel(Panel::attempts, room.columns, attempts));
    return lines;
}

Lines whole_panel(const Model& model, View& view, SteadyTime now, const Size& room,
                  const Look& look) {
    const std::vector<Talker> rows = rows_of(model, view.panel, view, now);
    view.page = room.rows > 1 ? room.rows - 1 : 1;
    view.first = std::min(view.first, rows.size() > view.page ? rows.size() - view.page : 0);
    return draw_panel(view.panel, rows, view,
                      {.width = room.columns, .height = room.rows, .is_whole = true}, look);
}

Lines help_text(const Size& room, const Look& look) {
    Lines lines;
    for (const std::string_view text : kHelp) {
        if (lines.size() == room.rows) break;
        lines.push_back(Line(room.columns, look).add(text).take());
    }
    return lines;
}

} // namespace

std::vector<std::string> draw(const Model& model, View& view, const Moment& now, const Size& size,
                              const Look& look) {
    Lines lines;
    if (size.columns < kLeast.columns || size.rows < kLeast.rows) {
        lines.push_back(
            Line(size.columns, look)
                .add(fmt::format("too small: {} by {} at least", kLeast.columns, kLeast.rows))
                .take());
        lines.resize(std::max<std::size_t>(size.rows, 1));
        return lines;
    }
    lines.push_back(title_line(model, view, now, size, look).take());
    lines.push_back(health_line(model, size, look).take());
    if (size.rows >= kRowsForTraffic) add_traffic(lines, model, size, look);
    const Size room{.columns = size.columns, .rows = size.rows - lines.size() - 1};
    if (view.shows_help)
        append(lines, help_text(room, look));
    else if (view.panel == Panel::overview)
        append(lines,
               overview({.model = model, .view = view, .now = now.steady, .look = look}, room));
    else
        append(lines, whole_panel(model, view, now.steady, room, look));
    lines.resize(size.rows - 1);
    lines.push_back(key_line(view, size, look).take());
    return lines;
}

} // namespace sallyport::top

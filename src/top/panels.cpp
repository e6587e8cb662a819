// SPDX-License-Identifier: Apache-2.0
#include "top/panels.h"

#include <algorithm>
#include <cctype>
#include <ctime>
#include <fmt/format.h>

namespace sallyport::top {
namespace {

std::string lower(std::string_view text) {
    std::string small(text);
    for (char& c : small) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return small;
}

std::vector<Talker> all_of(const Model& model, Panel panel, SteadyTime now) {
    switch (panel) {
    case Panel::overview:
        return {};
    case Panel::sources:
        return model.sources().all(now);
    case Panel::destinations:
        return model.destinations().all(now);
    case Panel::rules:
        return model.rules();
    case Panel::processes:
        return model.processes().all(now);
    case Panel::reasons:
        return model.reasons();
    case Panel::attempts:
        break;
    }
    std::vector<Talker> rows;
    for (const Attempt& attempt : model.attempts())
        rows.push_back({.name = attempt.who + " > " + attempt.where,
                        .per_second = 0,
                        .total = attempt.times,
                        .last = attempt.at,
                        .detail = attempt.reason});
    return rows;
}

// Of equals the one that came more often, then by name, so that nothing jumps about.
bool comes_before(const Talker& a, const Talker& b, Sort sort) {
    if (sort == Sort::rate && a.per_second != b.per_second) return a.per_second > b.per_second;
    if (sort == Sort::last && a.last != b.last) return a.last > b.last;
    if (sort != Sort::name && a.total != b.total) return a.total > b.total;
    return a.name < b.name;
}

// Of a whole panel. An IPv6 address has room from 80 columns on.
constexpr std::size_t kRateColumns = 7;
std::size_t name_columns(Panel panel, const Box& box) {
    return box.width / 2 - 1 + (panel == Panel::attempts ? kRateColumns : 0);
}

Line head_line(Panel panel, const Box& box, const Look& look) {
    Line line(box.width, look);
    const std::string title = fmt::format("{} {}", static_cast<int>(panel), title_of(panel));
    const std::size_t numbers = box.is_whole ? 0 : 16;
    if (!box.is_whole) {
        line.left(title, box.width - std::min(numbers, box.width), Style::strong);
        if (panel == Panel::attempts)
            line.right("latest", 9, Style::dim).right("times", 7, Style::dim);
        else
            line.right("/s", 9, Style::dim).right("total", 7, Style::dim);
        return line;
    }
    line.left(title, name_columns(panel, box), Style::strong);
    if (panel != Panel::attempts) line.right("/s", kRateColumns, Style::dim);
    line.right("total", 8, Style::dim).right("last", 9, Style::dim).add("  what", Style::dim);
    return line;
}

Line row_line(Panel panel, const Talker& row, const Box& box, const Look& look) {
    Line line(box.width, look);
    const std::string rate = panel == Panel::attempts ? "" : short_number(row.per_second);
    const std::string total = short_count(row.total);
    const Style style = panel == Panel::attempts ? Style::alarm : Style::plain;
    if (!box.is_whole) {
        line.left(row.name, box.width - std::min<std::size_t>(16, box.width), style);
        line.right(panel == Panel::attempts ? time_text(row.last, look.zone) : rate, 9);
        return line.right(total, 7);
    }
    line.left(row.name, name_columns(panel, box), style);
    if (panel != Panel::attempts) line.right(rate, kRateColumns);
    line.right(total, 8);
    line.right(time_text(row.last, look.zone), 9).add("  ").add(row.detail, Style::dim);
    return line;
}

} // namespace

std::string_view title_of(Panel panel) {
    switch (panel) {
    case Panel::overview:
        return "overview";
    case Panel::sources:
        return "sources refused";
    case Panel::destinations:
        return "destinations refused";
    case Panel::rules:
        return "rules";
    case Panel::processes:
        return "processes refused";
    case Panel::attempts:
        return "attempts to leave";
    case Panel::reasons:
        return "reasons";
    }
    return "?";
}

std::string time_text(WallTime at, Zone zone) {
    if (at == WallTime{}) return "-";
    const std::time_t when =
        std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
    std::tm parts{};
    if (zone == Zone::utc)
        gmtime_r(&when, &parts);
    else
        localtime_r(&when, &parts);
    return fmt::format("{:02}:{:02}:{:02}", parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::vector<Talker> rows_of(const Model& model, Panel panel, const View& view, SteadyTime now) {
    std::vector<Talker> rows = all_of(model, panel, now);
    if (!view.filter.empty()) {
        const std::string wanted = lower(view.filter);
        std::erase_if(rows, [&](const Talker& row) {
            return !lower(row.name).contains(wanted) && !lower(row.detail).contains(wanted);
        });
    }
    // An attempt has no rate: the latest is what matters.
    const Sort sort = panel == Panel::attempts && view.sort == Sort::rate ? Sort::last : view.sort;
    std::ranges::sort(rows, [&](const Talker& a, const Talker& b) {
        return view.is_reversed ? comes_before(b, a, sort) : comes_before(a, b, sort);
    });
    return rows;
}

std::vector<std::string> draw_panel(Panel panel, const std::vector<Talker>& rows, const View& view,
                                    const Box& box, const Look& look) {
    std::vector<std::string> lines;
    const auto put = [&](Line line) { lines.push_back(line.fill().take()); };
    if (box.height == 0) return lines;
    put(head_line(panel, box, look));
    const std::size_t first = box.is_whole ? view.first : 0;
    for (std::size_t i = first; i < rows.size() && lines.size() < box.height; ++i)
        put(row_line(panel, rows[i], box, look));
    if (rows.empty() && lines.size() < box.height)
        put(Line(box.width, look)
                .add(view.filter.empty() ? "nothing yet" : "nothing that the filter lets through",
                     Style::dim));
    while (lines.size() < box.height) put(Line(box.width, look));
    return lines;
}

} // namespace sallyport::top

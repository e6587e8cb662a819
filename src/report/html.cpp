// SPDX-License-Identifier: Apache-2.0
#include "base/duration.h"
#include "base/text.h"
#include "report/words.h"

#include <algorithm>
#include <fmt/format.h>

namespace sallyport::report {
namespace {

// Words of others: nothing of theirs is markup.
std::string plain(std::string_view text, std::size_t most = kNameMost) {
    std::string safe;
    for (const char c : one_line(text, most)) {
        switch (c) {
        case '&':
            safe += "&amp;";
            break;
        case '<':
            safe += "&lt;";
            break;
        case '>':
            safe += "&gt;";
            break;
        case '"':
            safe += "&quot;";
            break;
        case '\'':
            safe += "&#39;";
            break;
        default:
            safe += c;
        }
    }
    return safe;
}

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body{{font:15px/1.45 system-ui,sans-serif;color:#1c2430;background:#fff;max-width:60rem;margin:2rem auto;padding:0 1rem}}
h1{{font-size:1.5rem;margin-bottom:0}} h2{{font-size:1.1rem;margin:2rem 0 .4rem}}
.when{{color:#5b6675;margin-top:.2rem}} .head{{font-size:1.1rem;font-weight:600}}
.alarm{{color:#b3261e}}
.note{{background:#fff6dd;border-left:4px solid #d9a400;padding:.4rem .8rem;margin:.4rem 0}}
.plots{{display:grid;grid-template-columns:repeat(auto-fit,minmax(26rem,1fr));gap:1rem}}
figure{{margin:0;border:1px solid #dde3ea;border-radius:6px;padding:.6rem .8rem}}
figcaption{{display:flex;justify-content:space-between;align-items:baseline}}
figcaption b{{font-size:1.3rem}} .trend{{color:#5b6675;font-size:.85rem}}
svg{{width:100%;height:auto;display:block}}
table{{border-collapse:collapse;width:100%}} th{{text-align:left;color:#5b6675;font-weight:500}}
td,th{{padding:.2rem .5rem .2rem 0;border-bottom:1px solid #eef1f5;vertical-align:top;overflow-wrap:anywhere}}
.n{{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}}
.t{{white-space:nowrap}}
.new{{background:#e6f0ff;color:#1c4f9c;border-radius:3px;padding:0 .3rem;font-size:.8rem}}
.bar{{background:#dbe4ee;height:.5rem;margin-top:.5rem;border-radius:2px}}
</style></head><body>
)";

constexpr double kWidth = 480, kHeight = 110, kBottom = 16, kTop = 4;

// Bars of this time, a line of the time before.
std::string plot(const Curve& curve, const Span& span, std::chrono::seconds bucket,
                 const char* colour) {
    const double room = kHeight - kBottom - kTop;
    const std::uint64_t most =
        std::max({*std::ranges::max_element(curve.now), *std::ranges::max_element(curve.before),
                  std::uint64_t{1}});
    const double step = kWidth / static_cast<double>(curve.now.size());
    const auto height = [&](std::uint64_t value) {
        return room * static_cast<double>(value) / static_cast<double>(most);
    };
    std::string svg = fmt::format(
        R"(<svg viewBox="0 0 {:.0f} {:.0f}" role="img"><line x1="0" y1="{:.0f}" x2="{:.0f}" y2="{:.0f}" stroke="#c5ced8"/>)",
        kWidth, kHeight, kHeight - kBottom, kWidth, kHeight - kBottom);
    for (std::size_t i = 0; i < curve.now.size(); ++i) {
        if (curve.now[i] == 0) continue;
        const double tall = std::max(height(curve.now[i]), 1.0);
        svg += fmt::format(
            R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="{}"><title>{}, {}</title></rect>)",
            step * static_cast<double>(i) + step * 0.1, kHeight - kBottom - tall, step * 0.8, tall,
            colour, minute_text(span.from + bucket * static_cast<std::int64_t>(i)),
            grouped(curve.now[i]));
    }
    if (curve.total_before != 0) {
        svg +=
            R"(<polyline fill="none" stroke="#8794a3" stroke-width="1.2" stroke-dasharray="3 2" points=")";
        for (std::size_t i = 0; i < curve.before.size(); ++i)
            svg += fmt::format("{:.1f},{:.1f} ", step * (static_cast<double>(i) + 0.5),
                               kHeight - kBottom - height(curve.before[i]));
        svg += R"("/>)";
    }
    const auto label = [&](double x, const char* anchor, const std::string& text, double y) {
        svg += fmt::format(
            R"(<text x="{:.0f}" y="{:.0f}" text-anchor="{}" font-size="10" fill="#5b6675">{}</text>)",
            x, y, anchor, text);
    };
    label(0, "start", minute_text(span.from), kHeight - 4);
    label(kWidth, "end", minute_text(span.to), kHeight - 4);
    label(kWidth, "end", "peak " + grouped(most), kTop + 8);
    return svg + "</svg>";
}

std::string table_text(const Table& table) {
    if (table.ranks->is_empty()) return {};
    const std::uint64_t most = table.ranks->top.empty() ? 1 : table.ranks->top.front().count;
    std::string text = fmt::format("<h2>{}</h2>\n<table><tr><th>{}</th><th class=\"n\">times</th>"
                                   "<th style=\"width:30%\"></th></tr>\n",
                                   table.title, table.what);
    for (const Ranked& one : table.ranks->top)
        text += fmt::format("<tr><td>{}{}</td><td class=\"n\">{}</td><td><div class=\"bar\" "
                            "style=\"width:{:.1f}%\"></div></td></tr>\n",
                            plain(one.name), one.is_new ? " <span class=\"new\">new</span>" : "",
                            grouped(one.count),
                            100.0 * static_cast<double>(one.count) / static_cast<double>(most));
    text += "</table>\n";
    if (const std::string rest = rest_of(*table.ranks); !rest.empty())
        text += "<p class=\"when\">" + rest + "</p>\n";
    return text;
}

std::string happenings(const char* title, const std::vector<Happening>& all, std::size_t more,
                       const char* of_which, bool counted) {
    if (all.empty()) return {};
    std::string text = fmt::format("<h2>{}</h2>\n<table>\n", title);
    for (const Happening& one : all)
        text +=
            fmt::format("<tr><td class=\"t\">{}</td><td>{}</td><td class=\"n\">{}</td></tr>\n",
                        minute_text(one.at), plain(one.text), counted ? grouped(one.count) : "");
    text += "</table>\n";
    if (more != 0)
        text += fmt::format("<p class=\"when\">and {} {}.</p>\n", grouped(more), of_which);
    return text;
}

} // namespace

std::string to_html(const Report& report) {
    constexpr const char* kColours[kSeries] = {"#4f7cac", "#c07a2c", "#b3261e", "#7d5ba6",
                                               "#3f8f5f"};
    const std::string host = plain(report.host);
    const bool alarm = report.curves[static_cast<std::size_t>(Series::exfil)].total != 0;
    std::string text = fmt::format(kHead, fmt::arg("title", "Sallyport on " + host));
    text +=
        fmt::format("<h1>Sallyport on {}</h1>\n<p class=\"when\">{} to {} UTC, against the time "
                    "before (dashed)</p>\n<p class=\"head{}\">{}</p>\n",
                    host, minute_text(report.span.from), minute_text(report.span.to),
                    alarm ? " alarm" : "", headline(report));
    for (const std::string& caveat : caveats(report))
        text += "<p class=\"note\">" + plain(caveat, kSentenceMost) + "</p>\n";
    text += "<div class=\"plots\">\n";
    for (std::size_t i = 0; i < kSeries; ++i) {
        const Curve& curve = report.curves[i];
        text +=
            fmt::format("<figure><figcaption><span>{}</span><span><b>{}</b> <span "
                        "class=\"trend\">{} before, {}</span></span></figcaption>{}</figure>\n",
                        title_of(static_cast<Series>(i)), grouped(curve.total),
                        grouped(curve.total_before), trend_text(curve.total, curve.total_before),
                        plot(curve, report.span, report.bucket, kColours[i]));
    }
    text += "</div>\n";
    text += happenings("Attempts to leave the inside", report.attempts, report.more_attempts,
                       "more", true);
    for (const Table& table : tables_of(report)) text += table_text(table);
    text += happenings("Changes", report.changes, report.more_changes, "before them", false);
    return text + fmt::format("<p class=\"when\">{} events, {} a bar.</p>\n</body></html>\n",
                              grouped(report.events), to_string(report.bucket));
}

} // namespace sallyport::report

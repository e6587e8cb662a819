// SPDX-License-Identifier: Apache-2.0
#include "base/duration.h"
#include "base/text.h"
#include "report/words.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace sallyport::report {
namespace {

// Words of others: nothing of theirs is markup, nor a cell's end.
std::string plain(std::string_view text, std::size_t most = kNameMost) {
    // An address or a name with dots and dashes reads as it is; only what begins markup within a
    // cell is held off, and what GitHub makes a link of by itself.
    constexpr std::string_view kMarkup = "\\`*_{}[]<>#!|~&$@";
    const std::string line = one_line(text, most);
    std::string safe;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const bool is_link = (line[i] == ':' && line.compare(i + 1, 2, "//") == 0) ||
                             (line[i] == '.' && i >= 3 && line.compare(i - 3, 3, "www") == 0);
        if (is_link || kMarkup.find(line[i]) != std::string_view::npos) safe += '\\';
        safe += line[i];
    }
    return safe;
}

std::string curve_text(const std::vector<std::uint64_t>& values) {
    constexpr std::array<const char*, 8> kBlocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const std::uint64_t most = *std::ranges::max_element(values);
    std::string text;
    for (const std::uint64_t value : values) {
        if (value == 0) {
            text += "·";
            continue;
        }
        const auto level = static_cast<double>(value) / static_cast<double>(most) * 7.999;
        text += kBlocks[static_cast<std::size_t>(level)];
    }
    return text;
}

std::string table_text(const Table& table) {
    if (table.ranks->is_empty()) return {};
    std::string text =
        fmt::format("\n## {}\n\n| {} | times | |\n| --- | ---: | --- |\n", table.title, table.what);
    for (const Ranked& one : table.ranks->top)
        text += fmt::format("| {} | {} | {} |\n", plain(one.name), grouped(one.count),
                            one.is_new ? "new" : "");
    if (const std::string rest = rest_of(*table.ranks); !rest.empty()) text += "\n" + rest + "\n";
    return text;
}

std::string happenings(const char* title, const char* header, const std::vector<Happening>& all,
                       std::size_t more, const char* of_which, bool counted) {
    if (all.empty()) return {};
    std::string text = fmt::format("\n## {}\n\n{}", title, header);
    for (const Happening& one : all)
        text += counted ? fmt::format("| {} | {} | {} |\n", minute_text(one.at), plain(one.text),
                                      grouped(one.count))
                        : fmt::format("| {} | {} |\n", minute_text(one.at), plain(one.text));
    if (more != 0) text += fmt::format("\nand {} {}.\n", grouped(more), of_which);
    return text;
}

} // namespace

std::string to_markdown(const Report& report) {
    std::string text =
        fmt::format("# Sallyport on {}\n\n{} to {} UTC\n\n**{}**\n", plain(report.host),
                    minute_text(report.span.from), minute_text(report.span.to), headline(report));
    text += fmt::format("\n| | this time | time before | trend | each character: {} |\n"
                        "| --- | ---: | ---: | --- | --- |\n",
                        to_string(report.bucket));
    for (std::size_t i = 0; i < kSeries; ++i) {
        const Curve& curve = report.curves[i];
        text += fmt::format("| {} | {} | {} | {} | `{}` |\n", title_of(static_cast<Series>(i)),
                            grouped(curve.total), grouped(curve.total_before),
                            trend_text(curve.total, curve.total_before), curve_text(curve.now));
    }
    for (const std::string& caveat : caveats(report))
        text += "\n> " + plain(caveat, kSentenceMost) + "\n";
    text += happenings("Attempts to leave the inside",
                       "| first | who and where to | times |\n| --- | --- | ---: |\n",
                       report.attempts, report.more_attempts, "more", true);
    for (const Table& table : tables_of(report)) text += table_text(table);
    text += happenings("Changes", "| when | what |\n| --- | --- |\n", report.changes,
                       report.more_changes, "before them", false);
    text += fmt::format("\n{} events.\n", grouped(report.events));
    return text;
}

} // namespace sallyport::report

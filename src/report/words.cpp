// SPDX-License-Identifier: Apache-2.0
#include "report/words.h"

#include "base/duration.h"
#include "base/saturating.h"
#include "event/names.h"

#include <fmt/format.h>

namespace sallyport::report {

std::vector<Table> tables_of(const Report& report) {
    return {{"Who was refused on the way in", "source", &report.sources},
            {"What they asked for", "port", &report.ports},
            {"Why they were refused", "reason", &report.reasons},
            {"Where to it was refused to go", "destination", &report.destinations},
            {"Who wanted out", "process", &report.senders},
            {"Why it was refused", "reason", &report.why_not},
            {"Limits that were reached", "rule", &report.limits},
            {"Who was banned", "source", &report.banned}};
}

std::string minute_text(WallTime at) {
    std::string text = timestamp_text(at).substr(0, 16);
    text[10] = ' ';
    return text;
}

std::string grouped(std::uint64_t number) {
    std::string digits = fmt::to_string(number);
    for (std::size_t at = digits.size(); at > 3;) {
        at -= 3;
        digits.insert(at, 1, ',');
    }
    return digits;
}

std::string trend_text(std::uint64_t now, std::uint64_t before) {
    if (now == before) return "the same";
    if (before == 0) return "new";
    const double change = 100.0 * (static_cast<double>(now) / static_cast<double>(before) - 1.0);
    return change >= 1000 ? fmt::format("{:.0f} times", change / 100 + 1)
                          : fmt::format("{:+.0f} %", change);
}

std::vector<std::string> caveats(const Report& report) {
    std::vector<std::string> all;
    if (!report.reaches_back)
        all.emplace_back("The log has no event of this time or the time before: either nothing "
                         "happened, or nothing was written down.");
    else if (*report.reaches_back > report.span.from)
        all.push_back("The log reaches back to " + minute_text(*report.reaches_back) +
                      " UTC only; what came before is not in these numbers.");
    else if (*report.reaches_back > report.span.before())
        all.push_back("The log reaches back to " + minute_text(*report.reaches_back) +
                      " UTC only: the comparison with the time before is with less than all of "
                      "it.");
    std::uint64_t lost = 0;
    std::string where;
    for (const auto& [name, count] : report.lost) {
        lost = saturating_add(lost, count);
        where += fmt::format("{}{} by {}", where.empty() ? "" : ", ", grouped(count), name);
    }
    if (lost != 0)
        all.push_back(fmt::format("{} events are not in the log ({}); the counters of status have "
                                  "them all.",
                                  grouped(lost), where));
    if (report.would_have_been != 0)
        all.push_back(fmt::format("{} of what is called refused was let through: the policy only "
                                  "observed.",
                                  grouped(report.would_have_been)));
    if (report.unread_lines != 0)
        all.push_back(
            fmt::format("{} lines of the log are no events.", grouped(report.unread_lines)));
    if (report.unread_files != 0)
        all.push_back(fmt::format("{} files of the log could not be read.", report.unread_files));
    return all;
}

std::string headline(const Report& report) {
    const auto total = [&](Series series) {
        return report.curves[static_cast<std::size_t>(series)].total;
    };
    const std::uint64_t exfil = total(Series::exfil);
    if (exfil != 0)
        return fmt::format("{} attempt{} to leave the inside{}", grouped(exfil),
                           exfil == 1 ? "" : "s", report.would_have_been == 0 ? ", refused." : ".");
    if (total(Series::leaving) != 0)
        return "Nothing tried to leave the inside; some ways out were refused.";
    if (total(Series::arriving) != 0) return "Nothing was refused on its way out.";
    return "Nothing was refused.";
}

std::string rest_of(const Ranks& ranks) {
    std::string text;
    if (ranks.others != 0) text = fmt::format("and {} more.", grouped(ranks.others));
    if (ranks.short_by != 0)
        text += fmt::format("{}Counts may be short by up to {}.", text.empty() ? "" : " ",
                            grouped(ranks.short_by));
    return text;
}

} // namespace sallyport::report

// SPDX-License-Identifier: Apache-2.0
#include "cli/jail_report.h"

#include "base/duration.h"
#include "base/text.h"

#include <ctime>
#include <fmt/format.h>

namespace sallyport {

namespace {

using nlohmann::ordered_json;

std::string utc(jail::LogTime time) {
    const std::time_t at =
        std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
    std::tm parts{};
    ::gmtime_r(&at, &parts);
    char buffer[32];
    std::strftime(buffer, sizeof buffer, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return buffer;
}

std::string span_text(const std::optional<std::chrono::seconds>& span) {
    return span ? "for " + to_string(*span) : "without end";
}

const char* outcome_name(jail::Outcome outcome) {
    switch (outcome) {
    case jail::Outcome::missed:
        return "missed";
    case jail::Outcome::ignored:
        return "ignored";
    case jail::Outcome::matched:
        return "matched";
    case jail::Outcome::too_long:
        return "too-long";
    case jail::Outcome::too_costly:
        return "too-costly";
    }
    return "missed";
}

void add_hits(std::string& text, const char* what, const std::vector<jail::FailRegex>& patterns,
              const std::vector<std::uint64_t>& hits) {
    for (std::size_t i = 0; i < patterns.size(); ++i)
        if (hits[i] > 0)
            text += fmt::format("  {:>8}  {} {}: {}\n", hits[i], what, i + 1,
                                escaped(patterns[i].pattern().text));
}

void add_line(std::string& text, const JudgedLine& line) {
    text += fmt::format("{:>6}  {}", line.number, outcome_name(line.result.outcome));
    for (const jail::Told& told : line.result.told)
        text += fmt::format("  {} {}", escaped(told.failure.who), to_string(told.fate));
    text += "  " + escaped(line.text) + "\n";
}

ordered_json told_json(const jail::Told& told) {
    ordered_json made{{"who", escaped(told.failure.who)}, {"fate", to_string(told.fate)}};
    if (told.failure.network) made["source"] = to_string(*told.failure.network);
    if (told.failure.time) made["time"] = utc(*told.failure.time);
    if (told.failures > 0) made["failures"] = told.failures;
    if (const auto user = jail::found_in(told.failure.facts.groups, "user"))
        made["user"] = escaped(*user);
    return made;
}

ordered_json line_json(const JudgedLine& line) {
    ordered_json made{{"number", line.number}, {"outcome", outcome_name(line.result.outcome)}};
    if (line.result.regex) made["regex"] = *line.result.regex + 1;
    if (!line.result.told.empty()) made["failures"] = ordered_json::array();
    for (const jail::Told& told : line.result.told) made["failures"].push_back(told_json(told));
    made["text"] = escaped(line.text);
    return made;
}

} // namespace

std::string jail_report_text(const JailTarget& target, const jail::Jail& jail, const JailRun& run,
                             JailShown shown) {
    std::string text;
    if (shown.matched)
        for (const JudgedLine& line : run.kept) add_line(text, line);
    if (shown.missed)
        for (const JudgedLine& line : run.missed_kept) add_line(text, line);
    text += fmt::format("{} {}: {} lines, {} matched ({} failures, {} of a source not known yet), "
                        "{} ignored, {} missed\n",
                        target.kind, escaped(jail.settings().name), run.lines, run.matched,
                        run.accusing, run.pending, run.ignored, run.missed);
    if (run.too_long > 0)
        text += fmt::format("  {:>8}  lines longer than 64 KiB were not judged\n", run.too_long);
    if (run.too_costly > 0)
        text += fmt::format("  {:>8}  lines were given up: too costly to match\n", run.too_costly);
    add_hits(text, "failregex", jail.judge().failregex(), run.hits);
    add_hits(text, "ignoreregex", jail.judge().ignoreregex(), run.hits_ignore);
    const jail::JailSettings& settings = jail.settings();
    text += fmt::format("with {} failures in {} it would ban {}\n", settings.max_retry,
                        to_string(settings.find_time), run.bans.empty() ? "nobody" : "");
    text.erase(text.find_last_not_of(" \n") + 1);
    text += run.bans.empty() ? "\n" : ":\n";
    for (const jail::BanRequest& ban : run.bans)
        text += fmt::format("  {}  {}  {}  after {} failures\n", utc(ban.at), to_string(ban.source),
                            span_text(ban.span), ban.failures);
    return text;
}

ordered_json jail_report_json(const JailTarget& target, const jail::Jail& jail,
                              const JailRun& run) {
    const jail::JailSettings& settings = jail.settings();
    ordered_json made{{"kind", target.kind},
                      {"name", escaped(settings.name)},
                      {"lines", run.lines},
                      {"matched", run.matched},
                      {"accusing", run.accusing},
                      {"pending", run.pending},
                      {"ignored", run.ignored},
                      {"missed", run.missed},
                      {"too_long", run.too_long},
                      {"too_costly", run.too_costly},
                      {"left_off", run.left_off},
                      {"max_retry", settings.max_retry},
                      {"find_time", settings.find_time.count()}};
    made["judged"] = ordered_json::array();
    for (const JudgedLine& line : run.kept) made["judged"].push_back(line_json(line));
    made["bans"] = ordered_json::array();
    for (const jail::BanRequest& ban : run.bans) {
        ordered_json one{{"source", to_string(ban.source)},
                         {"at", utc(ban.at)},
                         {"failures", ban.failures},
                         {"earlier", ban.earlier}};
        one["seconds"] = ban.span ? ordered_json(ban.span->count()) : ordered_json(nullptr);
        made["bans"].push_back(std::move(one));
    }
    made["notes"] = ordered_json::array();
    for (const jail::Note& note : target.notes) made["notes"].push_back(to_text(note));
    return made;
}

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
#include "cli/jail_run.h"

namespace sallyport {

namespace {

constexpr std::size_t kTextKept = 512;
constexpr std::size_t kMissedKept = 1000;

void count(JailRun& run, const jail::LineResult& result) {
    using jail::Outcome;
    ++run.lines;
    switch (result.outcome) {
    case Outcome::missed:
        ++run.missed;
        break;
    case Outcome::ignored:
        ++run.ignored;
        if (result.regex) ++run.hits_ignore[*result.regex];
        break;
    case Outcome::matched:
        ++run.matched;
        if (!result.told.empty()) ++run.accusing;
        if (result.told.empty() && result.is_pending) ++run.pending;
        if (result.regex) ++run.hits[*result.regex];
        break;
    case Outcome::too_long:
        ++run.too_long;
        break;
    case Outcome::too_costly:
        ++run.too_costly;
        break;
    }
}

// A line without its newline, kept to a little more than what is judged: the rest of a
// longer one is read and dropped. False at the end.
bool next_line(std::istream& log, std::string& line) {
    line.clear();
    bool any = false;
    for (int c = log.get(); c != std::istream::traits_type::eof(); c = log.get()) {
        any = true;
        if (c == '\n') break;
        if (line.size() <= jail::kLineMax) line += static_cast<char>(c);
    }
    return any;
}

} // namespace

JailRun run_jail(jail::Jail& jail, std::istream& log, jail::LogTime now) {
    JailRun run;
    run.hits.resize(jail.judge().failregex().size());
    run.hits_ignore.resize(jail.judge().ignoreregex().size());
    for (std::string line; next_line(log, line);) {
        jail::LineResult result = jail.take(line, now);
        count(run, result);
        for (const jail::BanRequest& ban : result.bans) run.bans.push_back(ban);
        const bool is_missed = result.outcome == jail::Outcome::missed;
        std::vector<JudgedLine>& into = is_missed ? run.missed_kept : run.kept;
        if (into.size() >= (is_missed ? kMissedKept : kJudgedKept)) {
            run.left_off += is_missed ? 0 : 1;
            continue;
        }
        into.push_back(
            {.number = run.lines, .text = line.substr(0, kTextKept), .result = std::move(result)});
    }
    return run;
}

} // namespace sallyport

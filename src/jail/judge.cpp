// SPDX-License-Identifier: Apache-2.0
#include "jail/judge.h"

#include "jail/words.h"

namespace sallyport::jail {

namespace {

constexpr std::size_t kRegexMax = 2000;

// A line without a date is as old as the one before it, for so long.
constexpr std::chrono::seconds kLastTimeHolds(60);

std::string_view without_brackets(std::string_view text) {
    if (text.starts_with('[')) text.remove_prefix(1);
    if (text.ends_with(']')) text.remove_suffix(1);
    return text;
}

// The address that a text is, with the <CIDR> beside it.
std::optional<Prefix> network_of(std::string_view text, const std::optional<std::string>& length) {
    const std::optional<Address> address = parse_address(without_brackets(text));
    if (!address) return std::nullopt;
    const unsigned whole = address->is_v4() ? 32 : 128;
    unsigned bits = whole;
    if (length) {
        const std::optional<long> number = parse_integer(*length);
        if (!number || *number < 1 || *number > static_cast<long>(whole)) return std::nullopt;
        bits = static_cast<unsigned>(*number);
    }
    return prefix_of(*address, bits + (128 - whole));
}

} // namespace

Judge::Judge(DateDetector dates, Check check) : dates_(std::move(dates)), check_(check) {}

Result<Judge> Judge::make(const FilterSettings& settings, Check check) {
    if (settings.max_lines > 1)
        return fail(ErrorKind::invalid_input,
                    to_string(settings.max_lines_origin) +
                        ": maxlines = " + std::to_string(settings.max_lines) +
                        ": expressions over several lines are not supported",
                    "see whether the service can log on one line");
    if (settings.failregex.empty())
        return fail(ErrorKind::invalid_input, "the filter " + settings.name + " has no failregex");
    if (settings.failregex.size() > kRegexMax || settings.ignoreregex.size() > kRegexMax)
        return fail(ErrorKind::invalid_input,
                    "the filter " + settings.name + " has more than 2000 expressions");
    Judge made(SP_TRY(DateDetector::make(settings.datepatterns, settings.zone_minutes)), check);
    if (settings.prefregex)
        made.prefix_ = SP_TRY(FailRegex::compile(*settings.prefregex, settings.names));
    for (const Pattern& pattern : settings.failregex) {
        made.fail_.push_back(SP_TRY(FailRegex::compile(pattern, settings.names)));
        if (!made.fail_.back().identifies() && !(made.prefix_ && made.prefix_->identifies())) {
            const std::string where = to_string(pattern.origin);
            return fail(ErrorKind::invalid_input,
                        (where.empty() ? "" : where + ": ") + pattern.key + " " +
                            std::to_string(pattern.index) +
                            " says not whom to ban: it has no <HOST> or the like");
        }
    }
    for (const Pattern& pattern : settings.ignoreregex)
        made.ignore_.push_back(SP_TRY(FailRegex::compile(pattern, settings.names)));
    return made;
}

Judge::Line Judge::without_date(std::string_view line, LogTime now) {
    Line made{.text = std::string(line), .time = std::nullopt, .now = now};
    const std::optional<FoundDate> date = dates_.find(line, now);
    if (date && date->where.begin != date->where.end) {
        made.text.erase(date->where.begin, date->where.end - date->where.begin);
        if (date->time) {
            made.time = last_time_ = date->time;
            return made;
        }
    }
    const bool holds = last_time_ && *last_time_ > now - kLastTimeHolds;
    if (holds) made.text = line;
    // A pattern that wants no date ("{NONE}") has found one nevertheless.
    if (holds)
        made.time = last_time_;
    else if (date && date->where.begin == date->where.end)
        made.time = now;
    return made;
}

Verdict Judge::judge(std::string_view line, LogTime now, std::optional<LogTime> known) {
    if (line.size() > kLineMax)
        return {.outcome = Outcome::too_long, .failures = {}, .regex = {}, .is_pending = false};
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    const std::string_view good = as_utf8(line, buffer_);
    if (!known) return judge_text(without_date(good, now));
    last_time_ = known;
    return judge_text({.text = std::string(good), .time = known, .now = now});
}

std::optional<std::size_t> Judge::ignored_by(const std::string& text) {
    for (std::size_t i = 0; i < ignore_.size(); ++i)
        if (ignore_[i].search(text) == Search::found) return i;
    return std::nullopt;
}

Verdict Judge::judge_text(Line line) {
    Verdict verdict;
    std::string text = line.text + "\n"; // the end of a line is a part of it, as in fail2ban
    const auto ignored = [&](std::optional<std::size_t> by) {
        verdict.outcome = Outcome::ignored;
        verdict.regex = by;
    };
    if (!ignore_.empty() && ignore_.size() + 2 < fail_.size())
        if (const std::optional<std::size_t> by = ignored_by(text)) {
            ignored(by);
            return verdict;
        }
    Groups before;
    if (prefix_) {
        const Search found = prefix_->search(text);
        if (found == Search::too_costly) verdict.outcome = Outcome::too_costly;
        if (found != Search::found) return verdict;
        before = prefix_->groups();
        if (const std::optional<std::string> content = found_in(before, "content"))
            text = *content + "\n";
        before.erase("content");
    }
    for (std::size_t i = 0; i < fail_.size(); ++i) {
        const Search found = fail_[i].search(text);
        if (found == Search::too_costly && verdict.outcome == Outcome::missed)
            verdict.outcome = Outcome::too_costly;
        if (found != Search::found) continue;
        if (const std::optional<std::size_t> by = ignored_by(text)) {
            ignored(by);
            if (check_ == Check::first) return verdict;
            continue;
        }
        verdict.outcome = Outcome::matched;
        if (!verdict.regex) verdict.regex = i;
        Failure failure = failure_of(i, before, line);
        verdict.is_pending = failure.facts.is_pending;
        if (failure.is_failure || check_ == Check::all)
            verdict.failures.push_back(std::move(failure));
        if (check_ == Check::first) return verdict;
    }
    return verdict;
}

Failure Judge::failure_of(std::size_t index, const Groups& before, const Line& line) {
    Failure made{.regex = index, .who = {}, .network = {}, .time = line.time, .facts = {}};
    Groups groups = before;
    for (auto& [name, value] : fail_[index].groups()) groups[name] = value;
    const auto connection = groups.find("mlfid");
    const bool has_connection = connection != groups.end() && connection->second.has_value();
    const std::string id = has_connection ? *connection->second : std::string();
    if (has_connection) {
        made.facts = connections_.merge(id, std::move(groups), line.now);
        made.is_failure = !found_in(made.facts.groups, "nofail");
        if (!made.is_failure && check_ == Check::first) return made;
    } else {
        made.facts.groups = std::move(groups);
        made.facts.matches = 1;
    }
    const auto value_of = [&](std::string_view name) -> std::optional<std::string> {
        const auto found = made.facts.groups.find(name);
        return found == made.facts.groups.end() ? std::nullopt : found->second;
    };
    std::optional<std::string> host;
    for (const char* name : {"ip4", "ip6", "dns"})
        if (!host) host = value_of(name);
    const std::optional<std::string> fid = value_of("fid");
    if (!host && !fid) {
        if (has_connection) connections_.set_pending(id);
        made.facts.is_pending = true;
        made.is_failure = false;
        return made;
    }
    made.who = fid ? *fid : *host;
    made.network = network_of(host ? *host : *fid, found_in(made.facts.groups, "cidr"));
    return made;
}

} // namespace sallyport::jail

// SPDX-License-Identifier: Apache-2.0
#include "jail/date_detector.h"

#include "base/text.h"

#include <algorithm>
#include <set>

namespace sallyport::jail {

DateDetector::DateDetector(std::vector<Tried> templates, std::optional<int> zone_minutes)
    : templates_(std::move(templates)), zone_minutes_(zone_minutes) {}

Result<DateDetector> DateDetector::make(const std::vector<Pattern>& patterns,
                                        std::optional<int> zone_minutes) {
    std::vector<Pattern> wanted = patterns;
    if (wanted.empty())
        wanted.push_back({.text = "{DEFAULT}", .origin = {}, .key = "datepattern", .index = 1});
    std::vector<Tried> templates;
    std::set<std::string> names;
    for (const Pattern& pattern : wanted) {
        std::expected<std::vector<DateTemplate>, RegexError> made = templates_of(pattern.text);
        if (!made) {
            const std::string where = to_string(pattern.origin);
            return fail(ErrorKind::invalid_input,
                        (where.empty() ? "" : where + ": ") +
                            escaped(pattern.key + " " + std::to_string(pattern.index) +
                                    ", character " + std::to_string(made.error().at + 1) + ": " +
                                    made.error().message));
        }
        for (DateTemplate& one : *made)
            if (names.insert(one.name).second) templates.push_back({.date = std::move(one)});
    }
    return DateDetector(std::move(templates), zone_minutes);
}

Regex::Span DateDetector::match_of(std::size_t index) const {
    return templates_[index].date.regex.span(0).value_or(Regex::Span{0, 0});
}

std::optional<std::size_t> DateDetector::choose(std::string_view line) {
    if (last_ >= templates_.size()) return search(line, kNever, std::nullopt);
    DateTemplate& last = templates_[last_].date;
    if (last.regex.search(line) != Search::found) return search(line, last_, std::nullopt);
    const Regex::Span match = match_of(last_);
    if (last.is_anchored || templates_.size() == 1 ||
        (match.begin == last_match_.begin && match.end == last_match_.end))
        return last_;
    // Elsewhere than the last time: perhaps in the message. Others may fit better.
    return search(line, last_, last_);
}

std::optional<std::size_t> DateDetector::search(std::string_view line, std::size_t but,
                                                std::optional<std::size_t> best) {
    for (std::size_t i = 0; i < templates_.size(); ++i) {
        Tried& tried = templates_[i];
        if (i == but || tried.date.regex.search(line) != Search::found) continue;
        const std::size_t at = match_of(i).begin;
        const bool is_further = at > tried.distance || at > last_match_.begin;
        if (tried.date.is_anchored || i + 1 == templates_.size() || !is_further) return i;
        if (!best || at < match_of(*best).begin) best = i;
    }
    return best;
}

void DateDetector::remember(std::size_t index) {
    last_match_ = match_of(index);
    Tried& tried = templates_[index];
    ++tried.hits;
    tried.distance = last_match_.begin;
    const auto weight = [](const Tried& of) {
        const double distance = of.distance == kNever ? 1e9 : static_cast<double>(of.distance);
        return of.hits * of.date.weight / std::max(1.0, distance);
    };
    // What is found often moves ahead of what is found less.
    std::size_t to = index;
    while (to > 0 && index != last_ && weight(templates_[to - 1]) < weight(tried)) --to;
    std::rotate(templates_.begin() + static_cast<std::ptrdiff_t>(to),
                templates_.begin() + static_cast<std::ptrdiff_t>(index),
                templates_.begin() + static_cast<std::ptrdiff_t>(index) + 1);
    last_ = to;
}

std::optional<FoundDate> DateDetector::find(std::string_view line, LogTime now) {
    const std::optional<std::size_t> chosen = choose(line);
    if (!chosen) return std::nullopt;
    const DateTemplate& found = templates_[*chosen].date;
    FoundDate made{.where = found.regex.span(1).value_or(Regex::Span{0, 0}), .time = std::nullopt};
    if (made.where.begin != made.where.end) made.time = time_of(found, now, zone_minutes_);
    remember(*chosen);
    return made;
}

} // namespace sallyport::jail

// SPDX-License-Identifier: Apache-2.0
#include "daemon/policy_keeper.h"

#include "base/duration.h"
#include "daemon/lockout.h"
#include "daemon/policy_source.h"
#include "daemon/running_worlds.h"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fmt/chrono.h>
#include <fmt/format.h>

namespace sallyport {
namespace {

using nlohmann::ordered_json;

ordered_json answer_of(const Wall& wall, const PolicyNews& news) {
    const Enforced& e = wall.enforced();
    return {{"changed", true},
            {"generation", e.generation},
            {"mode", e.observe ? "observe" : "enforce"},
            {"sha256", e.sha256},
            {"trial", nullptr},
            {"cut", news.wall.cut},
            {"warnings", news.wall.warnings}};
}

constexpr std::size_t kConnectionsTold = 20;

// The first of them, and how many there are.
ordered_json told(const std::vector<std::string>& connections) {
    const std::size_t shown = std::min(connections.size(), kConnectionsTold);
    return {{"count", connections.size()},
            {"connections",
             std::vector<std::string>(connections.begin(),
                                      connections.begin() + static_cast<std::ptrdiff_t>(shown))}};
}

// "No", and why: an answer, not a failure.
ordered_json unchanged(const std::string& why, const std::string& next) {
    return {{"changed", false}, {"why", why}, {"next", next}};
}

ordered_json refusal_of(const std::vector<std::string>& shut, const PolicyNews& news) {
    return {{"changed", false},
            {"why", "it would shut out whoever is logged in, and not let him in again"},
            {"next", "allow it by a rule, or take the risk for a while: --confirm 60s --force"},
            {"shut", shut},
            {"would_cut", told(news.would_cut)}};
}

ordered_json leap_of(const std::string& next, const PolicyNews& news) {
    ordered_json answer = unchanged("it would enforce for the first time here, and you come over "
                                    "ssh: try it first, so that it is taken back when you are cut",
                                    next);
    answer["would_cut"] = told(news.would_cut);
    return answer;
}

} // namespace

PolicyKeeper::PolicyKeeper(Wall& wall, const std::string& state_dir)
    : wall_(wall), history_(state_dir) {}

std::optional<HistoryEntry> PolicyKeeper::newest(Outcome outcome) const {
    const std::vector<HistoryEntry> all = history_.entries();
    const auto at = std::ranges::find(all, outcome, &HistoryEntry::outcome);
    return at == all.end() ? std::nullopt : std::optional(*at);
}

void PolicyKeeper::keep(const PolicySource& source, const Wish& wish, Outcome outcome,
                        std::uint32_t restores, PolicyNews& news) {
    HistoryEntry entry;
    entry.outcome = outcome;
    entry.applied = wall_.enforced().applied;
    entry.by = wish.by;
    entry.file = source.file;
    entry.sha256 = source.sha256;
    entry.message = wish.message;
    entry.generation = wall_.enforced().began();
    entry.restores = restores;
    const Result<std::uint32_t> number = history_.add(source, std::move(entry));
    if (!number)
        news.wall.warnings.push_back("the policy is in force and not in the history: " +
                                     number.error().text());
}

// A trial that ended while nobody was there, or whose confirmation was not written down.
void PolicyKeeper::end_stale_trials(PolicyNews& news) const {
    const Status ended = history_.end_trials(wall_.enforced());
    if (!ended) news.wall.warnings.push_back(ended.error().text());
}

void PolicyKeeper::note_first(const PolicySource& source, PolicyNews& news) {
    end_stale_trials(news);
    Wish wish;
    wish.by = source.by;
    keep(source, wish, Outcome::applied, 0, news);
}

std::optional<PolicySource> PolicyKeeper::standing(PolicyNews& news) {
    if (!wall_.trial()) end_stale_trials(news);
    const auto load = [&](const Enforced& enforced) -> std::optional<PolicySource> {
        const std::optional<HistoryEntry> entry = history_.find_enforced(enforced);
        if (!entry) return std::nullopt;
        Result<PolicySource> source = history_.load(*entry);
        if (source) return *std::move(source);
        news.wall.notes.push_back(source.error().text());
        return std::nullopt;
    };
    if (wall_.trial())
        if (const std::optional<PolicySource> good = load(wall_.trial()->good))
            wall_.know_fallback(good->policy);
    const Enforced& enforced = wall_.enforced();
    std::optional<PolicySource> source = load(enforced);
    if (source || history_.find_enforced(enforced)) return source;
    source = as_its_file_has_it(enforced);
    if (!source) return std::nullopt;
    Wish wish;
    wish.by = enforced.by;
    keep(*source, wish, wall_.trial() ? Outcome::trial : Outcome::applied, 0, news);
    return source;
}

std::optional<PolicySource> PolicyKeeper::as_its_file_has_it(const Enforced& enforced) const {
    std::error_code error;
    if (enforced.sha256.empty() || !std::filesystem::exists(enforced.file, error))
        return std::nullopt;
    std::optional<PolicySource> source = read_policy(enforced.file);
    if (!source || !enforced.is_of(source->sha256, source->contents)) return std::nullopt;
    return source;
}

bool PolicyKeeper::is_leap(const PolicySource& source, const Wish& wish) const {
    if (wish.force || wish.trial.count() != 0 || source.policy.host.mode != Mode::enforce ||
        !wall_.enforced().observe)
        return false;
    const std::vector<HistoryEntry> all = history_.entries();
    return std::ranges::none_of(all,
                                [](const HistoryEntry& entry) {
                                    return entry.is_good() && entry.mode == "enforce";
                                }) &&
           (comes_by_session(wish.asker) || (wish.asker_may_be_gone && somebody_is_logged_in()));
}

// The policy into force, unless it locks out who asks: then what it would shut is returned.
Result<std::vector<std::string>> PolicyKeeper::change(const PolicySource& source, const Wish& wish,
                                                      PolicyNews& news) {
    std::vector<std::string> shut;
    Wall::Change how{.trial = wish.trial, .may_switch = {}};
    if (!wish.force)
        how.may_switch = [&](std::uint32_t slot) -> Status {
            shut = SP_TRY(find_lockouts(wall_, source.policy, slot, wish.asker));
            if (shut.empty()) return {};
            return fail(ErrorKind::conflict, "it would lock out who asks");
        };
    const Status changed = wall_.change(source, how, news.wall);
    if (!changed && shut.empty()) return std::unexpected<Error>(changed.error());
    return shut;
}

Result<ordered_json> PolicyKeeper::apply(const PolicySource& source, const Wish& wish,
                                         PolicyNews& news) {
    const bool tries = wish.trial.count() != 0;
    news.would_cut = sallyport::would_cut(wall_, source.policy);
    if (is_leap(source, wish))
        return leap_of(fmt::format("sallyport apply {} --confirm 60s", source.file), news);
    const std::vector<std::string> shut = SP_TRY(change(source, wish, news));
    if (!shut.empty()) return refusal_of(shut, news);
    keep(source, wish, tries ? Outcome::trial : Outcome::applied, 0, news);
    news.in_force = source;
    ordered_json answer = answer_of(wall_, news);
    if (tries) {
        answer["trial"] = {{"seconds_left", wish.trial.count()}};
        answer["would_cut"] = told(news.would_cut);
        news.said.emplace_back(EventState::trial,
                               "on trial for " + to_string(wish.trial) + ", by " + wish.by);
    } else {
        news.would_cut.clear(); // was cut, and is told as that
        news.said.emplace_back(EventState::applied, "by " + wish.by);
    }
    return answer;
}

Result<ordered_json> PolicyKeeper::confirm(PolicyNews& news) {
    if (wall_.trial() && wall_.enforced().panic)
        return unchanged("a panic is on, which nobody can keep", "sallyport panic --off");
    const Status confirmed = wall_.confirm(news.wall);
    if (!confirmed && confirmed.error().kind == ErrorKind::conflict)
        end_trial(Outcome::expired, "confirmed too late", news);
    if (!confirmed && (confirmed.error().kind == ErrorKind::conflict ||
                       confirmed.error().kind == ErrorKind::not_found))
        return unchanged(confirmed.error().text(), confirmed.error().hint);
    SP_TRY(Status(confirmed));
    if (const std::optional<HistoryEntry> tried = newest(Outcome::trial)) {
        const Status kept = history_.set_outcome(tried->number, Outcome::confirmed);
        if (!kept) news.wall.warnings.push_back(kept.error().text());
    } else {
        news.wall.warnings.push_back(fmt::format(
            "the policy is confirmed, and not in the history: a boot would take the one before "
            "it; sallyport apply {} keeps it",
            wall_.enforced().file));
    }
    news.said.emplace_back(EventState::confirmed, "");
    return answer_of(wall_, news);
}

void PolicyKeeper::end_trial(Outcome outcome, const std::string& why, PolicyNews& news) {
    const std::uint32_t tried = wall_.enforced().generation;
    const bool panic = wall_.enforced().panic;
    const Status ended = wall_.end_trial(news.wall);
    if (!ended) {
        news.wall.warnings.push_back(ended.error().text());
        return;
    }
    if (const std::optional<HistoryEntry> entry = newest(Outcome::trial); entry && !panic)
        static_cast<void>(history_.set_outcome(entry->number, outcome));
    news.said.emplace_back(EventState::rolled_back,
                           fmt::format("generation {}: {}; generation {} is in force", tried, why,
                                       wall_.enforced().generation));
    news.in_force = standing(news);
}

void PolicyKeeper::look(PolicyNews& news) {
    if (!wall_.trial_is_over()) return;
    const bool panic = wall_.enforced().panic;
    end_trial(Outcome::expired, panic ? "the panic's time is up" : "not confirmed in time", news);
}

Result<ordered_json> PolicyKeeper::roll_back(std::uint32_t number, const Wish& wish,
                                             PolicyNews& news) {
    if (wall_.trial() && wall_.enforced().panic)
        return unchanged("a panic is on", "sallyport panic --off, first");
    if (wall_.trial()) {
        if (number != 0)
            return fail(ErrorKind::conflict, "a policy is on trial",
                        "sallyport rollback, without a number, ends the trial first");
        end_trial(Outcome::rolled_back, "taken back by " + wish.by, news);
        if (wall_.trial()) return fail(ErrorKind::kernel, news.wall.warnings.back());
        return answer_of(wall_, news);
    }
    const std::optional<HistoryEntry> entry =
        number == 0 ? history_.before_current() : history_.find(number);
    if (!entry)
        return unchanged(number == 0 ? "the history has no earlier policy to go back to"
                                     : fmt::format("policy {} is not in the history", number),
                         "sallyport history lists what is there");
    PolicySource source = SP_TRY(history_.load(*entry));
    source.by = wish.by;
    news.would_cut = sallyport::would_cut(wall_, source.policy);
    if (is_leap(source, wish))
        return leap_of(fmt::format("sallyport rollback {} --force", entry->number), news);
    const std::vector<std::string> shut = SP_TRY(change(source, wish, news));
    if (!shut.empty()) return refusal_of(shut, news);
    keep(source, wish, Outcome::applied, entry->restores != 0 ? entry->restores : entry->number,
         news);
    news.in_force = source;
    news.said.emplace_back(EventState::rolled_back,
                           fmt::format("to policy {}, by {}", entry->number, wish.by));
    ordered_json answer = answer_of(wall_, news);
    news.would_cut.clear();
    answer["restores"] = entry->number;
    return answer;
}

ordered_json to_json(const std::vector<HistoryEntry>& entries) {
    ordered_json list = ordered_json::array();
    for (const HistoryEntry& e : entries)
        list.push_back(
            {{"number", e.number},
             {"outcome", to_string(e.outcome)},
             {"applied", e.applied},
             {"by", e.by},
             {"mode", e.mode},
             {"generation", e.generation},
             {"sha256", e.sha256},
             {"file", e.file},
             {"restores", e.restores == 0 ? ordered_json(nullptr) : ordered_json(e.restores)},
             {"message", e.message.empty() ? ordered_json(nullptr) : ordered_json(e.message)}});
    return {{"policies", std::move(list)}};
}

} // namespace sallyport

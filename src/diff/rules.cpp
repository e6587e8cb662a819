// SPDX-License-Identifier: Apache-2.0
// Which rule became which. Rules are compared by what they hold: sets of addresses, cells of
// services, classes of interfaces and processes; how they are written does not count.
#include "diff/compare.h"
#include "diff/content.h"
#include "diff/winners.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace sallyport::diff {
namespace {

using sallyport::to_string; // of durations

std::string text_of(const Identity& identity) {
    std::string text;
    if (!identity.unit.empty()) text = "unit " + identity.unit;
    if (!identity.cgroup.empty()) text = "cgroup " + identity.cgroup;
    if (identity.user)
        text += fmt::format("{}uid {}", text.empty() ? "" : " with ", *identity.user);
    return text.empty() ? "everybody" : text;
}

std::vector<std::string> fields_of(const Content& before, const Content& after) {
    std::vector<std::string> fields;
    const auto say = [&](bool is_other, std::string text) {
        if (is_other) fields.push_back(std::move(text));
    };
    const auto now = [](const std::string& was, const std::string& is) {
        return was + ", now " + is;
    };
    say(before.direction != after.direction,
        "direction: " + now(to_string(before.direction), to_string(after.direction)));
    say(before.deny != after.deny, after.deny ? "allow, now deny" : "deny, now allow");
    say(before.interfaces != after.interfaces, "interfaces");
    const bool same_places =
        before.interfaces == after.interfaces && before.direction == after.direction;
    say(same_places && before.from != after.from, "from");
    say(same_places && before.to != after.to, "to");
    say(before.services != after.services, "services");
    say(before.identity != after.identity,
        "for: " + now(text_of(before.identity), text_of(after.identity)));
    say(before.limit != after.limit,
        "limit: " + now(diff::text_of(before.limit), diff::text_of(after.limit)));
    say(before.log_new != after.log_new, after.log_new ? "logs new flows now" : "logs no more");
    return fields;
}

RuleChange change_of(RuleChange::Kind kind, const Rule& rule) {
    return {.kind = kind,
            .name = rule.name,
            .was = "",
            .direction = rule.direction,
            .deny = rule.deny,
            .fields = {},
            .is_felt = false,
            .touches_limit = false};
}

class Comparison {
  public:
    Comparison(const Space& space, Sets& sets)
        : space_(space), sets_(sets), contents_(space, sets),
          before_(space.policy(Side::before).rules), after_(space.policy(Side::after).rules) {}

    std::vector<RuleChange> changes() && {
        by_content(by_name());
        tell_overtaken();
        return std::move(changes_);
    }

  private:
    // Gives back the rules of the later policy whose names are new.
    std::vector<std::size_t> by_name() {
        for (std::size_t i = 0; i < before_.size(); ++i) left_[before_[i].name] = i;
        std::vector<std::size_t> unknown;
        for (std::size_t i = 0; i < after_.size(); ++i) {
            const auto at = left_.find(after_[i].name);
            if (at == left_.end()) {
                unknown.push_back(i);
                continue;
            }
            both_.emplace_back(at->second, i);
            left_.erase(at);
            const RulePair& pair = both_.back();
            std::vector<std::string> fields =
                fields_of(contents_.of(before_[pair.first]), contents_.of(after_[i]));
            if (fields.empty()) continue;
            changes_.push_back(change_of(RuleChange::Kind::changed, after_[i]));
            changes_.back().fields = std::move(fields);
            changes_.back().touches_limit =
                touches_limit(Side::before, pair.first, space_, sets_, contents_) ||
                touches_limit(Side::after, i, space_, sets_, contents_);
        }
        return unknown;
    }

    void by_content(const std::vector<std::size_t>& unknown) {
        std::map<std::size_t, Content> gone;
        for (const auto& [name, i] : left_) gone.emplace(i, contents_.of(before_[i]));
        for (const std::size_t i : unknown) {
            const Content its = contents_.of(after_[i]);
            const auto at =
                std::ranges::find_if(gone, [&](const auto& one) { return one.second == its; });
            const bool is_new = at == gone.end();
            changes_.push_back(
                change_of(is_new ? RuleChange::Kind::added : RuleChange::Kind::renamed, after_[i]));
            if (is_new) {
                changes_.back().touches_limit =
                    touches_limit(Side::after, i, space_, sets_, contents_);
                continue;
            }
            changes_.back().was = before_[at->first].name;
            both_.emplace_back(at->first, i);
            gone.erase(at);
        }
        for (const auto& [i, content] : gone) {
            changes_.push_back(change_of(RuleChange::Kind::removed, before_[i]));
            changes_.back().touches_limit =
                touches_limit(Side::before, i, space_, sets_, contents_);
        }
    }

    // By the later name of the loser; what became of it otherwise is told in the same line.
    RuleChange& change_for(const Rule& loser) {
        const auto at = std::ranges::find_if(changes_, [&](const RuleChange& one) {
            return one.name == loser.name &&
                   (one.kind == RuleChange::Kind::changed || one.kind == RuleChange::Kind::moved);
        });
        if (at != changes_.end()) return *at;
        changes_.push_back(change_of(RuleChange::Kind::moved, loser));
        return changes_.back();
    }

    void tell_overtaken() {
        std::map<std::size_t, std::size_t> told; // by loser: how many winners
        const std::vector<Overtaken> all = find_overtaken(both_, space_, sets_, contents_);
        for (const Overtaken& one : all) {
            const Rule& loser = after_[one.loser.second];
            const Rule& winner = after_[one.winner.second];
            RuleChange& change = change_for(loser);
            if (loser.limit || winner.limit) change.touches_limit = true;
            if (++told[one.loser.second] <= kWinnersTold)
                change.fields.push_back(text_of(before_[one.loser.first], winner));
        }
        for (const auto& [loser, count] : told)
            if (count > kWinnersTold)
                change_for(after_[loser])
                    .fields.push_back(fmt::format("and {} more rules", count - kWinnersTold));
    }

    static constexpr std::size_t kWinnersTold = 4;
    // Of one and the same opening: which rule decided, and which one does.
    static std::string text_of(const Rule& loser, const Rule& winner) {
        std::string text = fmt::format("decides no more where \"{}\" matches as well", winner.name);
        if (loser.limit != winner.limit)
            text += fmt::format(", limit: {}, now {}", diff::text_of(loser.limit),
                                diff::text_of(winner.limit));
        else if (loser.limit)
            text += ", the other's limit counts";
        if (loser.log_new != winner.log_new)
            text += winner.log_new ? ", logs new flows now" : ", logs no more";
        return text;
    }

    const Space& space_;
    Sets& sets_;
    Contents contents_;
    const std::vector<Rule>& before_;
    const std::vector<Rule>& after_;
    std::map<std::string, std::size_t> left_; // of the earlier, not matched yet
    std::vector<RulePair> both_;
    std::vector<RuleChange> changes_;
};

} // namespace

std::vector<RuleChange> compare_rules(const Space& space, Sets& sets) {
    return Comparison(space, sets).changes();
}

} // namespace sallyport::diff

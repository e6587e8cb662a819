// SPDX-License-Identifier: Apache-2.0
// Which rule became which. Rules are compared by what they hold: sets of addresses, cells of
// services, classes of interfaces and processes; how they are written does not count.
#include "diff/compare.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace sallyport::diff {
namespace {

using sallyport::to_string; // of durations

// All that a rule means but for its name and place.
struct Content {
    Direction direction = Direction::ingress;
    bool deny = false;
    std::vector<SetId> from; // by class of interfaces
    std::vector<SetId> to;
    std::vector<bool> services;
    std::vector<bool> interfaces;
    Identity identity;
    bool log_new = false;
    std::optional<Limit> limit;
    bool operator==(const Content&) const = default;
};

Content content_of(const Rule& rule, const Space& space, Sets& sets) {
    Content its;
    its.direction = rule.direction;
    its.deny = rule.deny;
    its.identity = rule.identity;
    its.log_new = rule.log_new;
    its.limit = rule.limit;
    for (std::size_t i = 0; i < space.interfaces().count(); ++i) {
        const bool is_here =
            rule.interfaces.empty() || space.interfaces().is_matched(i, rule.interfaces);
        its.interfaces.push_back(is_here);
        if (!is_here) continue;
        its.from.push_back(sets.id_of(rule.from, i));
        if (rule.direction == Direction::egress) its.to.push_back(sets.id_of(rule.to, i));
    }
    if (rule.direction == Direction::forward) its.to.push_back(sets.id_of(rule.to, std::nullopt));
    for (const ServiceCell& cell : space.services())
        its.services.push_back(holds(rule.services, cell, rule.deny));
    return its;
}

std::string text_of(const std::optional<Limit>& limit) {
    if (!limit) return "none";
    std::string text;
    if (limit->rate.count != 0)
        text = fmt::format("{}/{} burst {} a /{} or /{}{}", limit->rate.count,
                           to_string(limit->rate.per), limit->burst, limit->prefix4, limit->prefix6,
                           limit->window ? ", by window" : "");
    if (limit->total)
        text += fmt::format("{}{}/{} of all together", text.empty() ? "" : ", ",
                            limit->total->count, to_string(limit->total->per));
    if (limit->connections != 0)
        text +=
            fmt::format("{}{} connections at once", text.empty() ? "" : ", ", limit->connections);
    return text + (limit->cookies ? "" : ", no SYN cookies");
}

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
    say(before.limit != after.limit, "limit: " + now(text_of(before.limit), text_of(after.limit)));
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
            .is_felt = false};
}

} // namespace

std::vector<RuleChange> compare_rules(const Space& space, Sets& sets) {
    const std::vector<Rule>& before = space.policy(Side::before).rules;
    const std::vector<Rule>& after = space.policy(Side::after).rules;
    std::map<std::string, std::size_t> left; // of the earlier, not matched yet
    for (std::size_t i = 0; i < before.size(); ++i) left[before[i].name] = i;
    std::vector<RuleChange> changes;
    std::vector<std::size_t> unknown; // of the later: no name of before
    for (std::size_t i = 0; i < after.size(); ++i) {
        const auto at = left.find(after[i].name);
        if (at == left.end()) {
            unknown.push_back(i);
            continue;
        }
        RuleChange change = change_of(RuleChange::Kind::changed, after[i]);
        change.fields = fields_of(content_of(before[at->second], space, sets),
                                  content_of(after[i], space, sets));
        if (!change.fields.empty()) changes.push_back(std::move(change));
        left.erase(at);
    }
    std::map<std::size_t, Content> gone;
    for (const auto& [name, i] : left) gone.emplace(i, content_of(before[i], space, sets));
    for (const std::size_t i : unknown) {
        const Content its = content_of(after[i], space, sets);
        const auto at =
            std::ranges::find_if(gone, [&](const auto& one) { return one.second == its; });
        RuleChange change = change_of(
            at == gone.end() ? RuleChange::Kind::added : RuleChange::Kind::renamed, after[i]);
        if (at != gone.end()) {
            change.was = before[at->first].name;
            gone.erase(at);
        }
        changes.push_back(std::move(change));
    }
    for (const auto& [i, content] : gone)
        changes.push_back(change_of(RuleChange::Kind::removed, before[i]));
    return changes;
}

} // namespace sallyport::diff

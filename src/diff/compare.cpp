// SPDX-License-Identifier: Apache-2.0
#include "diff/compare.h"

#include "diff/regions.h"

#include <algorithm>

namespace sallyport::diff {
namespace {

bool is_named(const std::vector<Rule>& rules, const std::set<std::size_t>& felt,
              const std::string& name) {
    return std::ranges::any_of(
        felt, [&](std::size_t i) { return i < rules.size() && rules[i].name == name; });
}

bool is_of_egress(const std::vector<Rule>& rules, const std::string& name) {
    return std::ranges::any_of(rules, [&](const Rule& rule) {
        return rule.name == name && rule.direction == Direction::egress;
    });
}

std::optional<bool> is_felt(const RuleChange& one, const Space& space, const Regions& regions) {
    const std::vector<Rule>& before = space.policy(Side::before).rules;
    const std::vector<Rule>& after = space.policy(Side::after).rules;
    if (is_named(before, regions.felt_before, one.name) ||
        is_named(after, regions.felt_after, one.name))
        return true;
    if (space.interfaces().is_too_many()) return std::nullopt;
    if (space.identities().is_too_many() &&
        (is_of_egress(before, one.name) || is_of_egress(after, one.name)))
        return std::nullopt;
    return false;
}

} // namespace

const char* to_string(RuleChange::Kind kind) {
    switch (kind) {
    case RuleChange::Kind::added:
        return "added";
    case RuleChange::Kind::removed:
        return "removed";
    case RuleChange::Kind::changed:
        return "changed";
    case RuleChange::Kind::renamed:
        return "renamed";
    case RuleChange::Kind::moved:
        return "moved";
    }
    return "unknown";
}

bool Difference::is_any() const {
    return !allowed.empty() || !forbidden.empty() || !settings.empty() || !egress_is_compared ||
           !every_interface_is_compared || std::ranges::any_of(rules, [](const RuleChange& one) {
               return one.kind != RuleChange::Kind::renamed;
           });
}

bool Difference::may_change_what_passes() const {
    return !allowed.empty() || !forbidden.empty() || !settings.empty() || !egress_is_compared ||
           !every_interface_is_compared || std::ranges::any_of(rules, [](const RuleChange& one) {
               return one.touches_limit || one.is_felt.value_or(true);
           });
}

Difference compare(const Space& space) {
    Sets sets(space.interfaces());
    Difference difference;
    Regions regions = find_regions(space, sets);
    difference.allowed = std::move(regions.allowed);
    difference.forbidden = std::move(regions.forbidden);
    difference.egress_is_compared = !space.identities().is_too_many();
    difference.every_interface_is_compared = !space.interfaces().is_too_many();
    difference.rules = compare_rules(space, sets);
    for (RuleChange& one : difference.rules) one.is_felt = is_felt(one, space, regions);
    difference.mode_before = space.policy(Side::before).host.mode;
    difference.mode_after = space.policy(Side::after).host.mode;
    difference.settings = compare_settings(space, sets);
    return difference;
}

} // namespace sallyport::diff

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
    }
    return "unknown";
}

bool Difference::is_any() const {
    return !allowed.empty() || !forbidden.empty() || !settings.empty() || !egress_is_compared ||
           std::ranges::any_of(
               rules, [](const RuleChange& one) { return one.kind != RuleChange::Kind::renamed; });
}

Difference compare(const Space& space) {
    Sets sets(space.interfaces());
    Difference difference;
    Regions regions = find_regions(space, sets);
    difference.allowed = std::move(regions.allowed);
    difference.forbidden = std::move(regions.forbidden);
    difference.egress_is_compared = !space.identities().is_too_many();
    difference.rules = compare_rules(space, sets);
    for (RuleChange& one : difference.rules)
        one.is_felt = is_named(space.policy(Side::before).rules, regions.felt_before, one.name) ||
                      is_named(space.policy(Side::after).rules, regions.felt_after, one.name);
    difference.settings = compare_settings(space, sets);
    return difference;
}

} // namespace sallyport::diff

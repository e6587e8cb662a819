// SPDX-License-Identifier: Apache-2.0
#include "explain/policy_place.h"

#include "config/parse.h"

#include <fmt/format.h>

namespace sallyport::explain {

std::optional<RulePlace> PolicyPlace::rule(std::uint32_t number) const {
    if (number == 0) return std::nullopt;
    if (number > numbered.size())
        return RulePlace{.name = fmt::format("number {}", number), .direction = {}, .line = 0};
    const EnforcedRule& enforced = numbered[number - 1];
    const auto found = rules.find(enforced.name);
    if (found != rules.end() && found->second.direction == enforced.direction) return found->second;
    return RulePlace{.name = enforced.name, .direction = enforced.direction, .line = 0};
}

std::string PolicyPlace::free_name(const std::string& wish) const {
    const auto taken = [&](const std::string& name) {
        if (rules.contains(name)) return true;
        for (const EnforcedRule& rule : numbered)
            if (rule.name == name) return true;
        return false;
    };
    std::string name = wish;
    for (unsigned i = 2; taken(name); ++i) name = fmt::format("{} {}", wish, i);
    return name;
}

PolicyPlace find_place(const std::optional<Enforced>& enforced) {
    PolicyPlace place;
    if (!enforced) return place;
    place.file = enforced->file;
    place.numbered = enforced->rules;
    const Result<ParsedPolicy> parsed = load_policy(enforced->file);
    if (!parsed) {
        place.unread = parsed.error().text();
        return place;
    }
    place.changed = parsed->sha256 != enforced->sha256;
    if (!parsed->policy) {
        place.unread = "it has errors: sallyport check " + enforced->file;
        return place;
    }
    for (const Rule& rule : parsed->policy->rules)
        place.rules[rule.name] = {
            .name = rule.name, .direction = rule.direction, .line = rule.line, .deny = rule.deny};
    return place;
}

} // namespace sallyport::explain

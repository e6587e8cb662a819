// SPDX-License-Identifier: Apache-2.0
// A condition on a path goes forward name by name, and is a number: how many names of its path
// have been met, then (of a unit, which is sought below the host's path) seeking, met, or lost.
#include "diff/identities.h"

#include "diff/words.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace sallyport::diff {
namespace {

constexpr std::uint32_t kMet = 0xfffffffe;
constexpr std::uint32_t kLost = 0xffffffff;

std::vector<std::string> names_of(const std::string& path) {
    std::vector<std::string> names;
    for (std::size_t at = 0; at < path.size();) {
        const std::size_t end = std::min(path.find('/', at), path.size());
        if (end != at) names.push_back(path.substr(at, end - at));
        at = end + 1;
    }
    return names;
}

void sort_once(auto& list) {
    std::ranges::sort(list);
    list.erase(std::ranges::unique(list).begin(), list.end());
}

} // namespace

IdentityClasses::Condition IdentityClasses::condition_of(Side side,
                                                         const Identity& identity) const {
    if (identity.unit.empty()) return {.unit = "", .path = names_of(identity.cgroup)};
    return {.unit = identity.unit, .path = names_of(hosts_[static_cast<std::size_t>(side)])};
}

IdentityClasses::IdentityClasses(std::vector<std::pair<Side, Identity>> asked,
                                 const std::string& host_before, const std::string& host_after)
    : hosts_{host_before, host_after}, asked_(std::move(asked)) {
    for (const auto& [side, identity] : asked_) {
        if (!identity.unit.empty() || !identity.cgroup.empty())
            conditions_.push_back(condition_of(side, identity));
        if (identity.user) users_.push_back(*identity.user);
    }
    sort_once(conditions_);
    sort_once(users_);
    walk();
}

IdentityClasses::State IdentityClasses::start() const {
    State state;
    for (const Condition& condition : conditions_)
        state.push_back(condition.unit.empty() && condition.path.empty() ? kMet : 0);
    return state;
}

IdentityClasses::State IdentityClasses::step(const State& state, const std::string& name) const {
    State next = state;
    for (std::size_t i = 0; i < state.size(); ++i) {
        const Condition& condition = conditions_[i];
        std::uint32_t& at = next[i];
        if (at == kMet || at == kLost) continue;
        if (at < condition.path.size()) {
            at = name == condition.path[at] ? at + 1 : kLost;
            if (condition.unit.empty() && at == condition.path.size()) at = kMet;
        } else if (name == condition.unit) {
            at = kMet;
        } else if (!name.ends_with(".slice")) {
            at = kLost;
        }
    }
    return next;
}

std::vector<bool> IdentityClasses::answer(const State& state) const {
    std::vector<bool> met;
    for (const std::uint32_t at : state) met.push_back(at == kMet);
    return met;
}

// Paths of the names that conditions know, and two that none does.
void IdentityClasses::walk() {
    std::set<std::string> names;
    for (const Condition& condition : conditions_) {
        names.insert(condition.path.begin(), condition.path.end());
        if (!condition.unit.empty()) names.insert(condition.unit);
    }
    for (const char* suffix : {"", ".slice"}) {
        std::string other = std::string("other") + suffix;
        while (names.contains(other)) other.insert(0, "an");
        names.insert(other);
    }
    std::map<std::vector<bool>, std::string> found;
    std::set<State> seen{start()};
    std::vector<std::pair<State, std::string>> here{{start(), ""}};
    found.try_emplace(answer(start()), "/");
    while (!here.empty()) {
        std::vector<std::pair<State, std::string>> next;
        for (const auto& [state, path] : here)
            for (const std::string& name : names) {
                State after = step(state, name);
                if (!seen.insert(after).second) continue;
                if (seen.size() > kMost) return;
                std::string longer = path + "/";
                longer += name;
                found.try_emplace(answer(after), longer);
                next.emplace_back(std::move(after), std::move(longer));
            }
        here = std::move(next);
    }
    found.try_emplace(std::vector<bool>(conditions_.size()), ""); // not known
    for (auto& [holds, example] : found) cgroups_.push_back({.holds = holds, .example = example});
}

bool IdentityClasses::holds(std::size_t cgroups, const Condition& condition) const {
    const auto at = std::ranges::lower_bound(conditions_, condition);
    return at != conditions_.end() && *at == condition &&
           cgroups_[cgroups].holds[static_cast<std::size_t>(at - conditions_.begin())];
}

bool IdentityClasses::is_for(std::size_t one, Side side, const Identity& identity) const {
    const std::size_t user = one % (users_.size() + 1);
    if (identity.user && (user == users_.size() || users_[user] != *identity.user)) return false;
    return (identity.unit.empty() && identity.cgroup.empty()) ||
           holds(one / (users_.size() + 1), condition_of(side, identity));
}

std::optional<std::size_t> IdentityClasses::class_of(const std::string& cgroup,
                                                     std::optional<std::uint32_t> user) const {
    std::vector<bool> met(conditions_.size());
    if (!cgroup.empty()) {
        State state = start();
        for (const std::string& name : names_of(cgroup)) state = step(state, name);
        met = answer(state);
    }
    const auto at = std::ranges::find(cgroups_, met, &Class::holds);
    if (at == cgroups_.end()) return std::nullopt;
    std::size_t its = users_.size();
    if (user && std::ranges::binary_search(users_, *user))
        its = static_cast<std::size_t>(std::ranges::lower_bound(users_, *user) - users_.begin());
    return static_cast<std::size_t>(at - cgroups_.begin()) * (users_.size() + 1) + its;
}

std::string IdentityClasses::describe(const std::vector<std::size_t>& classes) const {
    Named named;
    for (const auto& [side, identity] : asked_) {
        std::string name;
        if (!identity.unit.empty()) name = "unit " + identity.unit;
        if (!identity.cgroup.empty()) name = "cgroup " + identity.cgroup;
        if (identity.user)
            name += fmt::format("{}uid {}", name.empty() ? "" : " with ", *identity.user);
        std::vector<std::size_t> its;
        for (std::size_t one = 0; one < count(); ++one)
            if (is_for(one, side, identity)) its.push_back(one);
        named.emplace_back(std::move(name), std::move(its));
    }
    return in_words(classes, count(), named, [&](std::size_t one) {
        const std::size_t user = one % (users_.size() + 1);
        const std::string& path = cgroups_[one / (users_.size() + 1)].example;
        return fmt::format("others (as cgroup {} with {})", path.empty() ? "unknown" : path,
                           user == users_.size() ? "another uid"
                                                 : fmt::format("uid {}", users_[user]));
    });
}

} // namespace sallyport::diff

// SPDX-License-Identifier: Apache-2.0
// Makes a policy that fails smaller, and prints policies for a person.
#include "support/random_policy.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace sallyport::test {

namespace {

using Fails = std::function<bool(const Policy&)>;

// Keeps the change that `edit` makes when the policy still fails.
template <typename Edit> bool attempt(Policy& policy, const Fails& fails, Edit edit) {
    Policy smaller = policy;
    edit(smaller);
    if (!fails(smaller)) return false;
    policy = std::move(smaller);
    return true;
}

// Tries to drop each element of the vector that `of` finds in a policy.
template <typename Of> bool drop_each(Policy& policy, const Fails& fails, Of of) {
    bool dropped = false;
    for (std::size_t i = of(policy).size(); i-- > 0;)
        dropped |= attempt(policy, fails, [&](Policy& smaller) {
            auto& all = of(smaller);
            all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
        });
    return dropped;
}

template <typename Of> bool shrink_list(Policy& policy, const Fails& fails, Of of) {
    bool dropped = false;
    for (std::size_t i = of(policy)->size(); i-- > 0;)
        dropped |= attempt(policy, fails, [&](Policy& smaller) {
            auto list = std::make_shared<std::vector<Prefix>>(*of(smaller));
            list->erase(list->begin() + static_cast<std::ptrdiff_t>(i));
            of(smaller) = std::move(list);
        });
    return dropped;
}

template <typename Of> bool shrink_peers(Policy& policy, const Fails& fails, Of of) {
    bool shrunk = drop_each(policy, fails, [&](Policy& p) -> auto& { return of(p).parts; });
    for (std::size_t i = 0; i < of(policy).parts.size(); ++i) {
        const auto part = [&](Policy& p) -> PeerPart& { return of(p).parts[i]; };
        shrunk |= drop_each(policy, fails, [&](Policy& p) -> auto& { return part(p).except; });
        shrunk |= drop_each(policy, fails, [&](Policy& p) -> auto& { return part(p).interfaces; });
        shrunk |= shrink_list(policy, fails, [&](Policy& p) -> auto& { return part(p).networks; });
        for (std::size_t e = 0; e < part(policy).except.size(); ++e)
            shrunk |=
                shrink_list(policy, fails, [&](Policy& p) -> auto& { return part(p).except[e]; });
    }
    return shrunk;
}

bool shrink_rule(Policy& policy, const Fails& fails, std::size_t i) {
    const auto rule = [i](Policy& p) -> Rule& { return p.rules[i]; };
    bool shrunk = shrink_peers(policy, fails, [&](Policy& p) -> auto& { return rule(p).from; });
    shrunk |= shrink_peers(policy, fails, [&](Policy& p) -> auto& { return rule(p).to; });
    shrunk |= drop_each(policy, fails, [&](Policy& p) -> auto& { return rule(p).services.ranges; });
    shrunk |= drop_each(policy, fails, [&](Policy& p) -> auto& { return rule(p).interfaces; });
    if (rule(policy).identity.user)
        shrunk |= attempt(policy, fails, [&](Policy& p) { rule(p).identity.user.reset(); });
    if (!rule(policy).identity.unit.empty())
        shrunk |= attempt(policy, fails, [&](Policy& p) { rule(p).identity.unit.clear(); });
    if (!rule(policy).identity.cgroup.empty())
        shrunk |= attempt(policy, fails, [&](Policy& p) { rule(p).identity.cgroup.clear(); });
    return shrunk;
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += " " + word;
    return text;
}

std::string describe(const PrefixList& list) {
    std::string text = "{";
    for (const Prefix& prefix : *list) text += " " + to_string(prefix);
    return text + " }";
}

std::string describe(const PeerSet& peers) {
    std::string text;
    for (const PeerPart& part : peers.parts) {
        text += " " + describe(part.networks);
        for (const PrefixList& except : part.except) text += " but not " + describe(except);
        if (!part.interfaces.empty()) text += " on" + joined(part.interfaces);
    }
    return text.empty() ? " nobody" : text;
}

std::string describe(const Services& services) {
    std::string text = services.any_protocol ? " any protocol" : "";
    for (const ServiceRange& range : services.ranges)
        text += " " + std::to_string(range.proto) + ":" + std::to_string(range.low) + "-" +
                std::to_string(range.high);
    return text;
}

std::string describe(const Rule& rule) {
    std::string text = std::string(rule.deny ? "deny " : "allow ") + to_string(rule.direction);
    if (rule.direction != Direction::egress) text += " from" + describe(rule.from);
    if (rule.direction != Direction::ingress) text += " to" + describe(rule.to);
    text += " for" + describe(rule.services);
    if (!rule.interfaces.empty()) text += " on" + joined(rule.interfaces);
    if (!rule.identity.unit.empty()) text += " unit " + rule.identity.unit;
    if (!rule.identity.cgroup.empty()) text += " cgroup " + rule.identity.cgroup;
    if (rule.identity.user) text += " user " + std::to_string(*rule.identity.user);
    return text;
}

} // namespace

Policy shrink(Policy policy, const std::function<bool(const Policy&)>& fails) {
    for (bool shrunk = true; shrunk;) {
        shrunk = drop_each(policy, fails, [](Policy& p) -> auto& { return p.rules; });
        for (std::size_t i = 0; i < policy.rules.size(); ++i)
            shrunk |= shrink_rule(policy, fails, i);
        shrunk |= shrink_peers(policy, fails, [](Policy& p) -> auto& { return p.exfil_inside; });
        shrunk |= shrink_peers(policy, fails, [](Policy& p) -> auto& { return p.essentials.ping; });
        shrunk |=
            shrink_peers(policy, fails, [](Policy& p) -> auto& { return p.essentials.routers; });
    }
    return policy;
}

std::string describe(const Policy& policy) {
    std::string text = "host cgroup " + policy.host.cgroup + "\n";
    for (std::size_t i = 0; i < policy.rules.size(); ++i)
        text += std::to_string(i) + ": " + describe(policy.rules[i]) + "\n";
    return text + "inside" + describe(policy.exfil_inside) + "\nping" +
           describe(policy.essentials.ping) + "\nrouters" + describe(policy.essentials.routers) +
           "\n";
}

std::string describe(const Opening& opening) {
    std::string text = to_string(opening.direction);
    text += opening.interface.empty() ? " on an unknown interface" : " on " + opening.interface;
    if (opening.direction != Direction::egress) text += " from " + to_string(opening.source);
    if (opening.direction != Direction::ingress) text += " to " + to_string(opening.destination);
    text += " for " + std::to_string(opening.proto) + ":" + std::to_string(opening.port);
    if (opening.direction != Direction::egress) return text;
    text += " by " + (opening.cgroup.empty() ? "an unknown cgroup" : opening.cgroup);
    return text + " user " + (opening.user ? std::to_string(*opening.user) : "unknown");
}

std::string describe(const Verdict& verdict) {
    const std::string rule = verdict.rule ? " by rule " + std::to_string(*verdict.rule) : "";
    switch (verdict.answer) {
    case Answer::no_rule:
        return "no rule" + rule;
    case Answer::denied:
        return "denied" + rule;
    case Answer::allowed:
        return "allowed" + rule;
    }
    return "nonsense";
}

} // namespace sallyport::test

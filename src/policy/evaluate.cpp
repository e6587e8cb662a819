// SPDX-License-Identifier: Apache-2.0
// What a policy means, written to be read against docs/policy.md. Every rule is
// tried, nothing is remembered, and no other code may be shared with the
// compiler: whatever both got from one place, they could get wrong together.
#include "policy/evaluate.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace sallyport {

namespace {

bool on_interface(const std::vector<std::string>& globs, const std::string& interface) {
    if (globs.empty()) return true;
    if (interface.empty()) return false; // unknown
    return std::ranges::any_of(globs,
                               [&](const auto& glob) { return glob_matches(glob, interface); });
}

bool is_in(const PrefixList& list, const Address& address) {
    return std::ranges::any_of(*list, [&](const Prefix& prefix) { return prefix.covers(address); });
}

// Length of the longest prefix by which the peers hold the address; none when they do not.
std::optional<unsigned> held_by(const PeerSet& peers, const Address& address,
                                const std::string& interface) {
    std::optional<unsigned> longest;
    for (const PeerPart& part : peers.parts) {
        if (!on_interface(part.interfaces, interface)) continue;
        if (std::ranges::any_of(part.except,
                                [&](const auto& list) { return is_in(list, address); }))
            continue;
        for (const Prefix& prefix : *part.networks)
            if (prefix.covers(address) && (!longest || prefix.family_length() > *longest))
                longest = prefix.family_length();
    }
    return longest;
}

// "any" opens no ICMP that nobody named: no timestamps, node information, renumbering.
bool is_unnamed_icmp(const Opening& opening) {
    if (opening.proto == 1) return opening.port != 8;
    return opening.proto == 58 && opening.port != 128;
}

// high - low of the narrowest range that holds what is asked for; none when none does.
std::optional<unsigned> narrowest(const Rule& rule, const Opening& opening) {
    const Services& services = rule.services;
    if (services.any_protocol) {
        if (!rule.deny && is_unnamed_icmp(opening)) return std::nullopt;
        return 0;
    }
    std::optional<unsigned> width;
    for (const ServiceRange& range : services.ranges) {
        if (range.proto != opening.proto || opening.port < range.low || opening.port > range.high)
            continue;
        const unsigned its = range.high - range.low;
        if (!width || its < *width) width = its;
    }
    return width;
}

std::vector<std::string> names_of(const std::string& path) {
    std::vector<std::string> names;
    std::string name;
    for (const char c : path + "/") {
        if (c != '/')
            name += c;
        else if (!name.empty())
            names.push_back(std::exchange(name, ""));
    }
    return names;
}

bool is_within(const std::string& path, const std::string& ancestor) {
    const std::vector<std::string> names = names_of(path);
    const std::vector<std::string> above = names_of(ancestor);
    return names.size() >= above.size() && std::equal(above.begin(), above.end(), names.begin());
}

bool in_unit(const std::string& path, const std::string& host, const std::string& unit) {
    if (!is_within(path, host)) return false;
    const std::vector<std::string> names = names_of(path);
    for (std::size_t i = names_of(host).size(); i < names.size(); ++i) {
        if (names[i] == unit) return true;
        if (!names[i].ends_with(".slice")) return false;
    }
    return false;
}

bool is_for(const Identity& who, const Opening& opening, const std::string& host) {
    if (!who.unit.empty() && !in_unit(opening.cgroup, host, who.unit)) return false;
    if (!who.cgroup.empty() && (opening.cgroup.empty() || !is_within(opening.cgroup, who.cgroup)))
        return false;
    return !who.user || who.user == opening.user;
}

// Whether a rule matches, and how specifically: the greater tuple wins, then the earlier rule.
using Specificity = std::tuple<unsigned, unsigned, bool, unsigned, bool>;

std::optional<Specificity> match(const Policy& policy, const Rule& rule, const Opening& opening) {
    if (rule.direction != opening.direction || !on_interface(rule.interfaces, opening.interface))
        return std::nullopt;
    std::optional<unsigned> from = 0;
    std::optional<unsigned> to = 0;
    if (rule.direction != Direction::egress)
        from = held_by(rule.from, opening.source, opening.interface);
    if (rule.direction == Direction::egress)
        to = held_by(rule.to, opening.destination, opening.interface);
    if (rule.direction == Direction::forward) // the interface it leaves by is not known
        to = held_by(rule.to, opening.destination, "");
    const std::optional<unsigned> width = narrowest(rule, opening);
    if (!from || !to || !width || !is_for(rule.identity, opening, policy.host.cgroup))
        return std::nullopt;
    return Specificity{*from, *to, !rule.services.any_protocol, 65535 - *width,
                       !rule.identity.is_none()};
}

// The rule that wins among those that give this answer.
std::optional<std::size_t> best(const Policy& policy, const Opening& opening, Answer answer) {
    std::optional<std::size_t> rule;
    std::optional<Specificity> winner;
    for (std::size_t i = 0; i < policy.rules.size(); ++i) {
        if (policy.rules[i].deny != (answer == Answer::denied)) continue;
        const std::optional<Specificity> its = match(policy, policy.rules[i], opening);
        if (!its || (winner && *its <= *winner)) continue;
        rule = i;
        winner = its;
    }
    return rule;
}

} // namespace

Verdict evaluate(const Policy& policy, const Opening& opening) {
    if (const std::optional<std::size_t> rule = best(policy, opening, Answer::denied))
        return {.answer = Answer::denied, .rule = rule};
    if (const std::optional<std::size_t> rule = best(policy, opening, Answer::allowed))
        return {.answer = Answer::allowed, .rule = rule};
    return {};
}

bool matches(const PeerSet& peers, const Address& address, const std::string& interface) {
    return held_by(peers, address, interface).has_value();
}

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
#include "audit/reach.h"

#include "policy/evaluate.h"

#include <algorithm>
#include <utility>

namespace sallyport::audit {
namespace {

constexpr std::uint8_t kIcmp = 1, kIcmp6 = 58;
constexpr std::uint16_t kEcho = 8, kEcho6 = 128;

bool matches_any(const std::vector<std::string>& globs, const std::string& interface) {
    if (globs.empty()) return true;
    return !interface.empty() && // unknown
           std::ranges::any_of(globs, [&](const auto& g) { return glob_matches(g, interface); });
}

bool covers(const Rule& rule, std::uint8_t proto, std::uint16_t port) {
    if (rule.services.any_protocol) {
        const bool is_unnamed =
            (proto == kIcmp && port != kEcho) || (proto == kIcmp6 && port != kEcho6);
        return rule.deny || !is_unnamed;
    }
    return std::ranges::any_of(rule.services.ranges, [&](const ServiceRange& range) {
        return range.proto == proto && range.low <= port && port <= range.high;
    });
}

} // namespace

Reach::Reach(Policy policy, std::vector<NamedZone> zones)
    : policy_(std::move(policy)), zones_(std::move(zones)) {}

const AddressSet& Reach::set_of(const PrefixList& list) {
    const auto [at, is_new] = lists_.try_emplace(list);
    if (is_new) at->second = AddressSet::of(*list);
    return at->second;
}

AddressSet Reach::set_of(const PeerSet& peers, const std::string& interface) {
    AddressSet all;
    for (const PeerPart& part : peers.parts) {
        if (!matches_any(part.interfaces, interface)) continue;
        AddressSet its = set_of(part.networks);
        for (const PrefixList& except : part.except) its = without(its, set_of(except));
        all = either(all, its);
    }
    return all;
}

const Opened& Reach::ingress(const std::string& interface, std::uint8_t proto, std::uint16_t port) {
    const auto [at, is_new] = asked_.try_emplace({interface, proto, port});
    if (!is_new) return at->second;
    AddressSet allowed, denied;
    for (std::size_t i = 0; i < policy_.rules.size(); ++i) {
        const Rule& rule = policy_.rules[i];
        if (rule.direction != Direction::ingress || !covers(rule, proto, port) ||
            !matches_any(rule.interfaces, interface))
            continue;
        const AddressSet its = set_of(rule.from, interface);
        if (its.is_empty()) continue;
        AddressSet& sum = rule.deny ? denied : allowed;
        sum = either(sum, its);
        if (!rule.deny) at->second.rules.push_back(i);
    }
    at->second.sources = without(allowed, denied);
    return at->second;
}

Opened Reach::forward(const std::string& interface, const Address& destination, std::uint8_t proto,
                      std::uint16_t port) {
    Opened opened;
    AddressSet allowed, denied;
    for (std::size_t i = 0; i < policy_.rules.size(); ++i) {
        const Rule& rule = policy_.rules[i];
        if (rule.direction != Direction::forward || !covers(rule, proto, port) ||
            !matches_any(rule.interfaces, interface) || !matches(rule.to, destination, ""))
            continue;
        const AddressSet its = set_of(rule.from, interface);
        if (its.is_empty()) continue;
        AddressSet& sum = rule.deny ? denied : allowed;
        sum = either(sum, its);
        if (!rule.deny) opened.rules.push_back(i);
    }
    opened.sources = without(allowed, denied);
    return opened;
}

std::vector<std::size_t> Reach::rules_for(Direction direction, std::uint8_t proto,
                                          std::uint16_t port) const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < policy_.rules.size(); ++i) {
        const Rule& rule = policy_.rules[i];
        if (!rule.deny && rule.direction == direction && covers(rule, proto, port))
            found.push_back(i);
    }
    return found;
}

SourceNames Reach::names(const AddressSet& sources, const std::string& interface,
                         const AddressSet& families) {
    SourceNames names;
    const AddressSet reached = both(sources, families);
    if (reached.is_empty()) return names;
    if (reached.holds_all(families)) {
        names.from = {"any"};
        names.is_any = true;
        return names;
    }
    AddressSet rest = reached;
    for (const NamedZone& zone : zones_) {
        const AddressSet its = both(set_of(zone.peers, interface), families);
        if (its.is_empty()) continue;
        if (reached.holds_all(its)) {
            names.from.push_back(zone.name);
            rest = without(rest, its);
        } else if (!both(reached, its).is_empty()) {
            names.partly.push_back(zone.name);
        }
    }
    const std::vector<Prefix> prefixes = rest.prefixes();
    const std::size_t shown = std::min(prefixes.size(), kNetworksShown);
    for (std::size_t i = 0; i < shown; ++i) names.networks.push_back(to_string(prefixes[i]));
    names.networks_left_out = prefixes.size() - shown;
    return names;
}

} // namespace sallyport::audit

// SPDX-License-Identifier: Apache-2.0
#include "learn/networks.h"

#include "policy/evaluate.h"

#include <algorithm>

namespace sallyport::learn {
namespace {

constexpr std::size_t kSeveral = 3; // of one network are that network
constexpr std::size_t kZoneNetworksMost = 1024;
constexpr unsigned kShortest4 = 8, kShortest6 = 7;

std::vector<Prefix> parsed(std::initializer_list<const char*> texts) {
    std::vector<Prefix> list;
    for (const char* text : texts)
        if (const Result<Prefix> prefix = parse_prefix(text)) list.push_back(*prefix);
    return list;
}

const std::vector<Prefix>& inside() {
    static const std::vector<Prefix> kList =
        parsed({"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16",
                "224.0.0.0/4", "fc00::/7", "fe80::/10", "ff00::/8"});
    return kList;
}

unsigned mapped_length(const Address& address, unsigned length4, unsigned length6) {
    return address.is_v4() ? 96 + length4 : length6;
}

using Groups = std::map<Prefix, std::vector<Address>>;

Groups grouped(const std::vector<Network>& networks, unsigned length4, unsigned length6) {
    Groups groups;
    for (const Network& network : networks) {
        const unsigned length = std::min<unsigned>(
            network.prefix.length, mapped_length(network.prefix.base, length4, length6));
        std::vector<Address>& seen = groups[prefix_of(network.prefix.base, length)];
        seen.insert(seen.end(), network.seen.begin(), network.seen.end());
    }
    return groups;
}

// Those inside, as long as these are.
std::vector<Network> widened(const std::vector<Network>& networks, unsigned length4,
                             unsigned length6) {
    std::vector<Network> kept;
    std::vector<Network> inner;
    for (const Network& one : networks) (is_inside(one.prefix.base) ? inner : kept).push_back(one);
    for (auto& [prefix, seen] : grouped(inner, length4, length6)) {
        const auto same = std::ranges::find(inner, prefix, &Network::prefix);
        kept.push_back({.prefix = prefix,
                        .seen = std::move(seen),
                        .is_widened = same == inner.end() || same->is_widened});
    }
    return kept;
}

std::vector<Network> wholly_inside(const std::vector<Network>& networks) {
    std::vector<Network> kept;
    std::map<Prefix, Network> whole;
    for (const Network& one : networks) {
        const auto around = std::ranges::find_if(
            inside(), [&](const Prefix& prefix) { return prefix.covers(one.prefix.base); });
        if (around == inside().end()) {
            kept.push_back(one);
            continue;
        }
        Network& its = whole[*around];
        its.prefix = *around;
        its.is_widened = true;
        its.seen.insert(its.seen.end(), one.seen.begin(), one.seen.end());
    }
    for (auto& [prefix, network] : whole) kept.push_back(std::move(network));
    return kept;
}

// Every part of the zone, as far as it may go by the interface.
bool is_sound(const NamedZone& zone) {
    std::size_t networks = 0;
    for (const PeerPart& part : zone.peers.parts) {
        networks += part.networks->size();
        if (networks > kZoneNetworksMost) return false;
        for (const Prefix& prefix : *part.networks)
            if (prefix.family_length() < (prefix.is_v4() ? kShortest4 : kShortest6)) return false;
    }
    return true;
}

// How closely it holds the address; nothing: it does not.
std::optional<unsigned> closeness(const NamedZone& zone, const Address& address,
                                  const std::string& interface) {
    if (interface.empty())
        for (const PeerPart& part : zone.peers.parts)
            if (!part.interfaces.empty()) return std::nullopt;
    if (!matches(zone.peers, address, interface)) return std::nullopt;
    unsigned longest = 0;
    for (const PeerPart& part : zone.peers.parts)
        for (const Prefix& prefix : *part.networks)
            if (prefix.covers(address)) longest = std::max<unsigned>(longest, prefix.length);
    return longest;
}

} // namespace

bool is_inside(const Address& address) {
    return std::ranges::any_of(inside(), [&](const Prefix& one) { return one.covers(address); });
}

std::vector<Network> networks_of(const std::vector<Address>& addresses, std::size_t most) {
    std::vector<Network> exact;
    for (const Address& address : addresses)
        exact.push_back({.prefix = prefix_of(address, 128), .seen = {address}});
    std::ranges::sort(exact, {}, &Network::prefix);
    const auto same = std::ranges::unique(exact, {}, &Network::prefix);
    exact.erase(same.begin(), same.end());
    std::vector<Network> networks;
    for (auto& [prefix, seen] : grouped(exact, 24, 64)) {
        if (seen.size() >= kSeveral) {
            networks.push_back({.prefix = prefix, .seen = std::move(seen)});
            continue;
        }
        for (const Address& address : seen)
            networks.push_back({.prefix = prefix_of(address, 128), .seen = {address}});
    }
    if (networks.size() > most) networks = widened(networks, 24, 64);
    if (networks.size() > most) networks = widened(networks, 16, 48);
    const auto inner = std::ranges::count_if(
        networks, [](const Network& one) { return is_inside(one.prefix.base); });
    if (static_cast<std::size_t>(inner) > most) networks = wholly_inside(networks);
    return networks;
}

KnownZones::KnownZones(const ParsedPolicy& policy) {
    for (const NamedZone& zone : policy.zones) {
        const bool is_ban_list =
            policy.policy &&
            std::ranges::find(policy.policy->bans.lists, zone.name, &BanListZone::zone) !=
                policy.policy->bans.lists.end();
        if (!is_ban_list && is_sound(zone)) zones_.push_back(zone);
    }
}

std::string KnownZones::of(const Address& address, const std::string& interface) const {
    std::string closest;
    std::optional<unsigned> best;
    for (const NamedZone& zone : zones_)
        if (const auto its = closeness(zone, address, interface); its && (!best || *its > *best)) {
            best = its;
            closest = zone.name;
        }
    return closest;
}

bool KnownZones::holds(const std::string& zone, const Address& address,
                       const std::string& interface) const {
    const auto at = std::ranges::find(zones_, zone, &NamedZone::name);
    return at != zones_.end() && closeness(*at, address, interface).has_value();
}

} // namespace sallyport::learn

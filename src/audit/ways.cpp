// SPDX-License-Identifier: Apache-2.0
#include "audit/ways.h"

#include "policy/evaluate.h"

#include <algorithm>
#include <set>

namespace sallyport::audit {
namespace {

constexpr int kDeepest = 8; // devices upon devices

const Nic* nic_at(const Place& place, unsigned index) {
    const auto at = std::ranges::find(place.nics, index, &Nic::index);
    return index == 0 || at == place.nics.end() ? nullptr : &*at;
}

bool is_any(const Address& address) {
    return address == Address{} || (address.is_v4() && address.v4_value() == 0);
}

// The protocol and port that rules are asked about.
std::pair<std::uint8_t, std::uint16_t> asked_of(const Listener& listener, std::uint16_t port) {
    if (listener.proto == kRaw) return {static_cast<std::uint8_t>(listener.port), 0};
    return {listener.proto, port};
}

bool owns(const Place& place, const Address& address) {
    return std::ranges::any_of(place.nics, [&](const Nic& nic) {
        return std::ranges::find(nic.addresses, address) != nic.addresses.end();
    });
}

} // namespace

bool is_loopback(const Address& address) {
    static const Address kOne = [] {
        Address one;
        one.bytes[15] = 1;
        return one;
    }();
    return address == kOne || (address.is_v4() && address.v4_value() >> 24 == 127);
}

AddressSet families_of(const Listener& listener) {
    if (listener.address.is_v4()) return AddressSet::all_v4();
    return is_dual(listener) ? either(AddressSet::all_v4(), AddressSet::all_v6())
                             : AddressSet::all_v6();
}

Ways::Ways(const Machine& machine, Reach* reach, Wall wall)
    : machine_(machine), reach_(reach),
      rules_hold_(reach != nullptr && holds(wall, reach->policy())) {}

const Place& Ways::place_of(const Listener& listener) const {
    const auto at = std::ranges::find(machine_.places, listener.place, &Place::inode);
    return at == machine_.places.end() ? machine_.places.front() : *at;
}

Ways::Guards Ways::guards(const Place& place, const Nic& nic) const {
    Guards guards;
    const std::vector<std::string>& globs = reach_->policy().host.interfaces;
    const auto matches_globs = [&](const Nic& one) {
        return std::ranges::any_of(globs, [&](const auto& g) { return glob_matches(g, one.name); });
    };
    const Nic* at = &nic;
    for (int depth = 0; at != nullptr && depth < kDeepest; ++depth) {
        if (matches_globs(*at)) guards.all.push_back(at->name);
        at = nic_at(place, at->lower);
    }
    if (!guards.all.empty()) return guards;
    // A bond or bridge whose every port is guarded hears nothing else.
    for (const Nic& port : place.nics) {
        if (port.master != nic.index || nic.index == 0) continue;
        if (!matches_globs(port)) return {};
        guards.either.push_back(port.name);
    }
    return guards;
}

std::optional<Way> Ways::by_nic(const Nic& nic, const Listener& listener, std::uint16_t port) {
    Way way{.how = "interface",
            .interface = nic.name,
            .shield = Shield::none,
            .port = port,
            .sources = {}};
    const AddressSet families = families_of(listener);
    const Guards guarding = rules_hold_ ? guards(machine_.places.front(), nic) : Guards{};
    if (guarding.all.empty() && guarding.either.empty()) {
        way.sources.from = {"any"};
        way.sources.is_any = true;
        return way;
    }
    way.shield = Shield::rules;
    const auto [proto, asked] = asked_of(listener, port);
    AddressSet sources;
    if (!guarding.all.empty()) sources = families;
    for (const std::string& name : guarding.all)
        sources = both(sources, reach_->ingress(name, proto, asked).sources);
    for (const std::string& name : guarding.either)
        sources = either(sources, both(families, reach_->ingress(name, proto, asked).sources));
    if (sources.is_empty()) return std::nullopt;
    const std::string& named =
        guarding.all.empty() ? guarding.either.front() : guarding.all.front();
    way.sources = reach_->names(sources, named, families);
    return way;
}

void Ways::by_interfaces(const Listener& listener, std::vector<Way>& ways) {
    const Place& place = place_of(listener);
    if (!place.is_host || is_loopback(listener.address)) return;
    for (const Nic& nic : place.nics) {
        if (!listener.interface.empty() && listener.interface != nic.name) continue;
        // What a port hears for this host comes up through its master.
        if (listener.interface.empty() && nic_at(place, nic.master) != nullptr) continue;
        if (auto way = by_nic(nic, listener, listener.port)) ways.push_back(*std::move(way));
    }
}

std::vector<Publication> Ways::published(const Listener& listener) const {
    std::vector<Publication> found;
    const Place& place = place_of(listener);
    for (const Publication& one : machine_.nat.published) {
        const unsigned first = one.to_port == 0 ? one.low : one.to_port;
        if (one.proto != listener.proto || listener.port < first ||
            listener.port > first + (one.high - one.low))
            continue;
        const bool is_here = one.to
                                 ? (place.is_host && is_loopback(*one.to)) || owns(place, *one.to)
                                 : place.is_host;
        const bool hears = !one.to || listener.address == *one.to ||
                           (is_any(listener.address) &&
                            (listener.address.is_v4() == one.to->is_v4() || is_dual(listener)));
        if (is_here && hears) found.push_back(one);
    }
    return found;
}

void Ways::by_publication(const Listener& listener, std::vector<Way>& ways) {
    const Place& host = machine_.places.front();
    std::set<std::pair<std::string, std::uint16_t>> seen;
    for (const Publication& one : published(listener)) {
        if (one.at && is_loopback(*one.at)) continue;
        const unsigned first = one.to_port == 0 ? one.low : one.to_port;
        const auto port = static_cast<std::uint16_t>(one.low + (listener.port - first));
        for (const Nic& nic : host.nics) {
            if (nic_at(host, nic.master) != nullptr) continue;
            if (!one.interface.empty() && one.interface != nic.name) continue;
            if (!seen.insert({nic.name, port}).second) continue;
            std::optional<Way> way = by_nic(nic, listener, port);
            if (!way) continue;
            way->how = "published";
            ways.push_back(*std::move(way));
        }
    }
}

void Ways::by_routing(const Listener& listener, std::vector<Way>& ways) {
    const Place& place = place_of(listener);
    const Place& host = machine_.places.front();
    if (place.is_host || is_loopback(listener.address)) return;
    std::vector<Address> addresses;
    if (!is_any(listener.address))
        addresses = {listener.address};
    else
        for (const Nic& nic : place.nics)
            for (const Address& address : nic.addresses)
                if (families_of(listener).holds(address)) addresses.push_back(address);
    for (const Address& address : addresses) {
        if (!(address.is_v4() ? host.forwards_v4 : host.forwards_v6)) continue;
        Way way{.how = "routed",
                .interface = "",
                .shield = Shield::none,
                .port = listener.port,
                .sources = {}};
        way.sources.from = {"any"};
        way.sources.is_any = true;
        if (!rules_hold_) {
            ways.push_back(way);
            return;
        }
        way.shield = Shield::rules;
        const auto [proto, port] = asked_of(listener, listener.port);
        const AddressSet families = address.is_v4() ? AddressSet::all_v4() : AddressSet::all_v6();
        for (const Nic& nic : host.nics) {
            const Opened opened = reach_->forward(nic.name, address, proto, port);
            const AddressSet sources = both(opened.sources, families);
            if (sources.is_empty()) continue;
            way.interface = nic.name;
            way.sources = reach_->names(sources, nic.name, families);
            ways.push_back(way);
        }
    }
}

std::vector<Way> Ways::to(const Listener& listener) {
    std::vector<Way> ways;
    by_interfaces(listener, ways);
    by_publication(listener, ways);
    by_routing(listener, ways);
    return ways;
}

std::vector<std::size_t> Ways::declared(const Listener& listener) const {
    if (reach_ == nullptr) return {};
    const auto [proto, port] = asked_of(listener, listener.port);
    const Place& place = place_of(listener);
    std::set<std::size_t> rules;
    const auto add = [&](const std::vector<std::size_t>& more) {
        for (const std::size_t index : more) {
            const Rule& rule = reach_->policy().rules[index];
            const PeerSet& peers = rule.from;
            const bool has_peer = std::ranges::any_of(
                peers.parts, [](const PeerPart& part) { return !part.networks->empty(); });
            if (has_peer) rules.insert(index);
        }
    };
    if (place.is_host)
        add(reach_->rules_for(Direction::ingress, proto, port));
    else {
        std::vector<std::size_t> routed;
        for (const std::size_t index : reach_->rules_for(Direction::forward, proto, port))
            for (const Nic& nic : place.nics)
                if (std::ranges::any_of(nic.addresses, [&](const Address& address) {
                        return matches(reach_->policy().rules[index].to, address, "");
                    }))
                    routed.push_back(index);
        add(routed);
    }
    for (const Publication& one : published(listener)) {
        const unsigned first = one.to_port == 0 ? one.low : one.to_port;
        add(reach_->rules_for(Direction::ingress, proto,
                              static_cast<std::uint16_t>(one.low + (listener.port - first))));
    }
    return {rules.begin(), rules.end()};
}

} // namespace sallyport::audit

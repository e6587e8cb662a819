// SPDX-License-Identifier: Apache-2.0
#include "learn/named.h"

#include <algorithm>

namespace sallyport::learn {

std::uint64_t Named::openings() const {
    std::uint64_t sum = 0;
    for (const Member& one : members) sum += one.tally->openings();
    return sum;
}

std::uint64_t Named::events() const {
    std::uint64_t sum = 0;
    for (const Member& one : members) sum += one.tally->events;
    return sum;
}

WallTime Named::first() const {
    WallTime first = members.front().tally->first;
    for (const Member& one : members) first = std::min(first, one.tally->first);
    return first;
}

WallTime Named::last() const {
    WallTime last = members.front().tally->last;
    for (const Member& one : members) last = std::max(last, one.tally->last);
    return last;
}

bool Named::is_rarer_than(std::uint64_t least) const {
    const bool was_open = std::ranges::any_of(members, [](const Member& one) {
        return one.tally->events == 0 && one.tally->running > 0;
    });
    return !was_open && openings() < least;
}

bool is_rarer_than(const Tally& tally, std::uint64_t least) {
    return !(tally.events == 0 && tally.running > 0) && tally.openings() < least;
}

std::vector<Named> named_of(const std::vector<Member>& members, const KnownZones& zones,
                            std::size_t most) {
    std::map<std::string, std::vector<Member>> by_zone;
    std::vector<Member> loose;
    for (const Member& one : members) {
        const std::string zone = zones.of(one.address, one.interface);
        (zone.empty() ? loose : by_zone[zone]).push_back(one);
    }
    // A zone within another one that is named as well says nothing more.
    for (auto narrow = by_zone.begin(); narrow != by_zone.end();) {
        const auto wide = std::ranges::find_if(by_zone, [&](const auto& other) {
            return other.first != narrow->first &&
                   std::ranges::all_of(narrow->second, [&](const Member& one) {
                       return zones.holds(other.first, one.address, one.interface);
                   });
        });
        if (wide == by_zone.end()) {
            ++narrow;
            continue;
        }
        wide->second.insert(wide->second.end(), narrow->second.begin(), narrow->second.end());
        narrow = by_zone.erase(narrow);
    }
    std::vector<Named> named;
    for (auto& [zone, its] : by_zone)
        named.push_back({.word = zone, .is_zone = true, .members = std::move(its)});
    std::map<Address, std::vector<Member>> by_address;
    std::vector<Address> addresses;
    for (const Member& one : loose) {
        addresses.push_back(one.address);
        by_address[one.address].push_back(one);
    }
    for (const Network& network : networks_of(addresses, most)) {
        Named one{.word = to_string(network.prefix), .is_widened = network.is_widened};
        for (const Address& address : network.seen) {
            const std::vector<Member>& its = by_address[address];
            one.members.insert(one.members.end(), its.begin(), its.end());
        }
        named.push_back(std::move(one));
    }
    std::ranges::sort(named, [](const Named& a, const Named& b) {
        if (a.is_zone != b.is_zone) return a.is_zone;
        const std::uint64_t x = a.openings(), y = b.openings();
        return x != y ? x > y : a.word < b.word;
    });
    return named;
}

} // namespace sallyport::learn

// SPDX-License-Identifier: Apache-2.0
#include "daemon/lockout_ways.h"

#include <algorithm>
#include <fnmatch.h>
#include <map>

namespace sallyport {
namespace {

constexpr int kDeepest = 8; // VLAN in VLAN over a bridge over a bond, and some more

bool has(const Interface& interface, const Address& address) {
    return std::ranges::any_of(interface.addresses, [&](const InterfaceAddress& a) {
        return a.address == address && a.kind == SP_LOCAL_HOST;
    });
}

const Interface* at_index(std::span<const Interface> all, unsigned index) {
    const auto found = std::ranges::find(all, index, &Interface::index);
    return index == 0 || found == all.end() ? nullptr : &*found;
}

void add(WaysIn& ways, WayIn way) {
    if (!way.empty() && std::ranges::find(ways, way) == ways.end()) ways.push_back(std::move(way));
}

WaysIn ways_below(const Policy& policy, const Interface& interface, std::span<const Interface> all,
                  int depth) {
    WayIn own;
    if (guards(policy, interface)) own.push_back(&interface);
    WaysIn ways;
    const Interface* lower = at_index(all, interface.lower);
    if (depth < kDeepest && lower != nullptr) {
        for (WayIn& way : ways_below(policy, *lower, all, depth + 1)) {
            way.insert(way.begin(), own.begin(), own.end());
            add(ways, std::move(way));
        }
    } else if (depth < kDeepest && own.empty()) {
        for (const Interface& port : all)
            if (port.master == interface.index && interface.index != 0)
                for (WayIn& way : ways_below(policy, port, all, depth + 1))
                    add(ways, std::move(way));
    }
    if (ways.empty()) add(ways, std::move(own));
    return ways;
}

void append(std::vector<std::string>& to, const std::vector<std::string>& lines) {
    for (const std::string& line : lines)
        if (std::ranges::find(to, line) == to.end()) to.push_back(line);
}

} // namespace

bool guards(const Policy& policy, const Interface& interface) {
    return !interface.is_loopback &&
           std::ranges::any_of(policy.host.interfaces, [&](const std::string& glob) {
               return ::fnmatch(glob.c_str(), interface.name.c_str(), 0) == 0;
           });
}

std::vector<WaysIn> ways_in(const Policy& policy, const Address& local,
                            std::span<const Interface> interfaces,
                            const std::function<std::optional<unsigned>()>& route) {
    std::vector<WaysIn> entries;
    const auto enter_at = [&](const Interface& interface) {
        WaysIn ways = ways_below(policy, interface, interfaces, 0);
        if (!ways.empty()) entries.push_back(std::move(ways));
    };
    for (const Interface& interface : interfaces)
        if (has(interface, local)) enter_at(interface);
    if (!entries.empty()) return entries;
    // Not asked of each guarded NIC at once: who comes by a tunnel, or by a NIC that is left
    // unguarded on purpose, is not judged by any of them, or not as what he is within it.
    const std::optional<unsigned> index = route();
    const Interface* out = index ? at_index(interfaces, *index) : nullptr;
    if (out != nullptr) {
        enter_at(*out);
        return entries;
    }
    WaysIn any;
    for (const Interface& interface : interfaces)
        if (guards(policy, interface)) any.push_back({&interface});
    if (!any.empty()) entries.push_back(std::move(any));
    return entries;
}

Result<Shut>
find_shut(const std::vector<WaysIn>& entries,
          const std::function<Result<std::optional<std::string>>(const Interface&)>& refuses) {
    Shut shut;
    std::map<const Interface*, std::optional<std::string>> told;
    for (const WaysIn& ways : entries) {
        std::vector<std::string> lines;
        bool is_open = false;
        for (const WayIn& way : ways) {
            bool lets_in = true;
            for (const Interface* nic : way) {
                if (!told.contains(nic)) told[nic] = SP_TRY(refuses(*nic));
                const std::optional<std::string>& why = told[nic];
                if (!why) continue;
                lets_in = false;
                lines.push_back(*why);
            }
            is_open |= lets_in;
        }
        append(is_open ? shut.some : shut.every, lines);
    }
    return shut;
}

} // namespace sallyport

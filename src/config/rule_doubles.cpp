// SPDX-License-Identifier: Apache-2.0
// Two rules are doubles when a text of all that they match is the same. Long
// lists are taken by identity: they come from one zone, or are not the same.
#include "config/rule_doubles.h"

#include <algorithm>
#include <fmt/format.h>

namespace sallyport::config {

namespace {

constexpr std::size_t kLongList = 64;

std::string text_of(const PrefixList& list) {
    if (list->size() > kLongList) return fmt::format("@{}", static_cast<const void*>(list.get()));
    std::vector<Prefix> sorted = *list;
    std::sort(sorted.begin(), sorted.end());
    std::string text;
    for (const Prefix& prefix : sorted) text += to_string(prefix) + ",";
    return text;
}

std::string joined(std::vector<std::string> names) {
    std::sort(names.begin(), names.end());
    std::string text;
    for (const std::string& name : names) text += fmt::format("{}:{}", name.size(), name);
    return text;
}

std::string text_of(const PeerSet& peers) {
    std::vector<std::string> parts;
    for (const PeerPart& part : peers.parts) {
        std::string text = text_of(part.networks);
        for (const PrefixList& except : part.except) text += "-" + text_of(except);
        parts.push_back(text + "%" + joined(part.interfaces));
    }
    return joined(std::move(parts));
}

std::string text_of(const Services& services) {
    std::vector<std::string> ranges;
    for (const ServiceRange& range : services.ranges)
        ranges.push_back(fmt::format("{}/{}-{}", range.proto, range.low, range.high));
    return (services.any_protocol ? "any" : "") + joined(std::move(ranges));
}

std::string text_of(const Identity& identity) {
    return joined({"u" + identity.unit, "c" + identity.cgroup,
                   identity.user ? fmt::format("i{}", *identity.user) : std::string("i")});
}

std::string key_of(const Rule& rule) {
    return fmt::format("{}|{}|{}|{}|{}|{}|{}", to_string(rule.direction),
                       rule.deny ? "deny" : "allow", text_of(rule.from), text_of(rule.to),
                       text_of(rule.services), joined(rule.interfaces), text_of(rule.identity));
}

} // namespace

std::string RuleDoubles::shadow(const Rule& rule) {
    const auto [first, fresh] =
        seen_.try_emplace(key_of(rule), First{.name = rule.name, .line = rule.line});
    if (fresh) return {};
    return fmt::format("rule \"{}\" never decides: \"{}\" in line {} says the same", rule.name,
                       first->second.name, first->second.line);
}

} // namespace sallyport::config

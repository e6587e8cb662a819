// SPDX-License-Identifier: Apache-2.0
#include "diff/services.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

namespace sallyport::diff {
namespace {

constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kIcmp6 = 58;

std::uint16_t last_of(std::uint8_t proto) {
    return proto == kIcmp || proto == kIcmp6 ? 255 : 65535;
}

std::uint16_t echo_of(std::uint8_t proto) {
    return proto == kIcmp ? 8 : 128;
}

std::string name_of(std::uint8_t proto) {
    switch (proto) {
    case kIcmp:
        return "icmp";
    case 6:
        return "tcp";
    case 17:
        return "udp";
    case kIcmp6:
        return "icmpv6";
    case 132:
        return "sctp";
    case 136:
        return "udplite";
    default:
        return fmt::format("protocol {}", proto);
    }
}

using Ranges = std::vector<std::pair<std::uint16_t, std::uint16_t>>;

std::string text_of(std::uint8_t proto, const Ranges& ranges) {
    if (ranges.size() == 1 && ranges[0].first == 0 && ranges[0].second == last_of(proto))
        return name_of(proto);
    std::string text = name_of(proto) + (last_of(proto) == 255 ? " type " : " ");
    for (std::size_t i = 0; i < ranges.size(); ++i) {
        const auto& [low, high] = ranges[i];
        if (i > 0) text += ", ";
        text += low == high ? std::to_string(low) : fmt::format("{}-{}", low, high);
    }
    return text;
}

} // namespace

std::vector<ServiceCell> service_cells(const std::vector<const Services*>& named) {
    // Where something begins, by protocol. "any" tells echo requests from other ICMP.
    std::map<std::uint8_t, std::set<std::uint32_t>> begins{{kIcmp, {0, 8, 9}},
                                                           {kIcmp6, {0, 128, 129}}};
    for (const Services* services : named)
        for (const ServiceRange& range : services->ranges)
            begins[range.proto].insert({0u, range.low, range.high + 1u});
    std::vector<ServiceCell> cells;
    for (const auto& [proto, from] : begins)
        for (auto at = from.begin(); at != from.end(); ++at) {
            if (*at > last_of(proto)) break;
            const std::uint32_t next = std::next(at) == from.end() ? 65536 : *std::next(at);
            cells.push_back({.proto = proto,
                             .low = static_cast<std::uint16_t>(*at),
                             .high = static_cast<std::uint16_t>(
                                 std::min<std::uint32_t>(next - 1, last_of(proto)))});
        }
    cells.push_back({.proto = std::nullopt});
    return cells;
}

bool holds(const Services& services, const ServiceCell& cell, bool is_deny) {
    if (services.any_protocol) {
        const bool is_icmp = cell.proto == kIcmp || cell.proto == kIcmp6;
        return is_deny || !is_icmp || is_echo_request(cell);
    }
    return std::ranges::any_of(services.ranges, [&](const ServiceRange& range) {
        return cell.proto == range.proto && range.low <= cell.low && cell.high <= range.high;
    });
}

bool is_echo_request(const ServiceCell& cell) {
    return (cell.proto == kIcmp || cell.proto == kIcmp6) && cell.low == cell.high &&
           cell.low == echo_of(*cell.proto);
}

std::size_t cell_of(const std::vector<ServiceCell>& cells, std::uint8_t proto, std::uint16_t port) {
    for (std::size_t i = 0; i < cells.size(); ++i)
        if (cells[i].proto == proto && cells[i].low <= port && port <= cells[i].high) return i;
    return cells.size() - 1;
}

std::vector<std::string> describe(const std::vector<ServiceCell>& all,
                                  const std::vector<std::size_t>& cells) {
    std::map<std::uint8_t, Ranges> by_proto;
    std::set<std::uint8_t> known;
    bool others = false;
    for (const ServiceCell& cell : all)
        if (cell.proto) known.insert(*cell.proto);
    for (const std::size_t index : cells) {
        const ServiceCell& cell = all[index];
        if (!cell.proto) {
            others = true;
            continue;
        }
        Ranges& ranges = by_proto[*cell.proto];
        if (!ranges.empty() && ranges.back().second + 1 == cell.low)
            ranges.back().second = cell.high;
        else
            ranges.emplace_back(cell.low, cell.high);
    }
    const auto is_whole = [&](std::uint8_t proto) {
        const auto at = by_proto.find(proto);
        if (at == by_proto.end() || at->second.size() != 1) return false;
        const auto& [low, high] = at->second[0];
        if (last_of(proto) == 255 && low == echo_of(proto) && high == low) return true;
        return low == 0 && high == last_of(proto);
    };
    if (others && std::ranges::all_of(known, is_whole)) {
        const bool every_type = by_proto[kIcmp][0].first == 0 || by_proto[kIcmp6][0].first == 0;
        return {every_type ? "any protocol, every ICMP type" : "any protocol"};
    }
    std::vector<std::string> texts;
    for (const auto& [proto, ranges] : by_proto) texts.push_back(text_of(proto, ranges));
    if (others) texts.emplace_back("every other protocol");
    return texts;
}

} // namespace sallyport::diff

// SPDX-License-Identifier: Apache-2.0
// A sweep over the ends of all ranges. Between two ends nothing changes, so a
// segment has one class; its signature is (service, width) of those it lies in.
#include "compile/ports.h"

#include "sallyport/abi/types.h"

#include <algorithm>
#include <array>
#include <compare>
#include <map>
#include <optional>
#include <string>
#include <tuple>

namespace sallyport {

namespace {

constexpr std::uint32_t kAny =
    UINT32_MAX; // in a service: any protocol; in a signature: such a service
constexpr std::size_t kWordsMax = 1u << 26;

struct Segment {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
};

struct Edge {
    std::uint32_t place = 0;
    std::uint32_t service = 0;
    std::uint32_t width = 0;
    int step = 0; // +1 begins at place, -1 ended before it
};

using Active = std::map<std::pair<std::uint32_t, std::uint32_t>, int>; // (service, width): ranges

// Where the ports or types of a protocol lie; none for a protocol without.
std::optional<Segment> line_of(std::uint8_t proto) {
    switch (proto) {
    case 6:
        return Segment{.first = SP_LINE_TCP, .last = SP_LINE_TCP + 65535};
    case 17:
        return Segment{.first = SP_LINE_UDP, .last = SP_LINE_UDP + 65535};
    case 132:
        return Segment{.first = SP_LINE_SCTP, .last = SP_LINE_SCTP + 65535};
    case 136:
        return Segment{.first = SP_LINE_UDPLITE, .last = SP_LINE_UDPLITE + 65535};
    case 1:
        return Segment{.first = SP_LINE_ICMP4, .last = SP_LINE_ICMP4 + 255};
    case 58:
        return Segment{.first = SP_LINE_ICMP6, .last = SP_LINE_ICMP6 + 255};
    default:
        return std::nullopt;
    }
}

std::vector<Segment> segments_of(const ServiceRange& range) {
    std::vector<Segment> segments;
    const std::optional<Segment> line = line_of(range.proto);
    if (line && range.low <= range.high && line->first + range.low <= line->last)
        segments.push_back({.first = line->first + range.low,
                            .last = std::min(line->first + range.high, line->last)});
    // What has no port at all lies in ranges that leave nothing out.
    if (range.low == 0 && (range.high == 65535 || !line))
        segments.push_back(
            {.first = SP_LINE_PROTO + range.proto, .last = SP_LINE_PROTO + range.proto});
    return segments;
}

// All protocols and ports, and of ICMP echo requests.
constexpr std::array kAnyButTypes = {
    Segment{.first = 0, .last = SP_LINE_ICMP4 - 1},
    Segment{.first = SP_LINE_ICMP4 + 8, .last = SP_LINE_ICMP4 + 8},
    Segment{.first = SP_LINE_ICMP6 + 128, .last = SP_LINE_ICMP6 + 128},
};

std::vector<Edge> edges_of(const ServiceTable& services) {
    std::vector<Edge> edges;
    const auto cover = [&](std::uint32_t service, const Segment& segment, std::uint32_t width) {
        edges.push_back({segment.first, service, width, +1});
        edges.push_back({segment.last + 1, service, width, -1});
    };
    for (std::uint32_t service = 0; service < services.size(); ++service) {
        if (services.is_any_but_types(service))
            for (const Segment& segment : kAnyButTypes) cover(service, segment, 0);
        for (const ServiceRange& range : services.ranges(service))
            for (const Segment& segment : segments_of(range))
                cover(service, segment, static_cast<std::uint32_t>(range.high - range.low));
    }
    std::ranges::sort(edges, {}, &Edge::place);
    return edges;
}

std::vector<std::uint32_t> signature_of(const Active& active, bool any) {
    std::vector<std::uint32_t> words;
    if (any) words.push_back(kAny);
    std::uint32_t previous = UINT32_MAX;
    for (const auto& [key, ranges] : active) {
        if (key.first == previous) continue; // the map has the narrowest first
        words.insert(words.end(), {key.first, key.second});
        previous = key.first;
    }
    return words;
}

void step(Active& active, const Edge& edge) {
    const auto [at, fresh] = active.try_emplace({edge.service, edge.width}, 0);
    at->second += edge.step;
    if (at->second == 0) active.erase(at);
}

void fill_served(PortClasses& classes, const Interner& signatures,
                 std::optional<std::uint32_t> any) {
    for (std::uint32_t number = 1; number < classes.count; ++number) {
        const auto words = signatures.at(number);
        for (std::size_t i = words[0] == kAny ? 1 : 0; i < words.size(); i += 2)
            classes.served[words[i]].push_back({.port_class = number, .width = words[i + 1]});
        if (any) classes.served[*any].push_back({.port_class = number, .width = 0});
    }
}

} // namespace

std::uint32_t ServiceTable::add(const Services& services, AnyIcmp icmp) {
    if (services.any_protocol) {
        if (icmp == AnyIcmp::every_type) return known_.id_of(std::array{kAny});
        return known_.id_of(std::array{kAny, kAny, kAny}); // ranges have an even number of words
    }
    std::vector<ServiceRange> ranges = services.ranges;
    const auto key = [](const ServiceRange& r) { return std::tuple(r.proto, r.low, r.high); };
    std::ranges::sort(ranges, {}, key);
    std::vector<std::uint32_t> words;
    for (const ServiceRange& range : ranges)
        words.insert(words.end(),
                     {range.proto, static_cast<std::uint32_t>(range.low) << 16 | range.high});
    return known_.id_of(words);
}

bool ServiceTable::is_any(std::uint32_t service) const {
    const auto words = known_.at(service);
    return words.size() == 1 && words[0] == kAny;
}

bool ServiceTable::is_any_but_types(std::uint32_t service) const {
    return known_.at(service).size() == 3;
}

std::vector<ServiceRange> ServiceTable::ranges(std::uint32_t service) const {
    std::vector<ServiceRange> ranges;
    const auto words = known_.at(service);
    if (words.size() % 2 != 0) return ranges; // any protocol
    for (std::size_t i = 0; i + 1 < words.size(); i += 2)
        ranges.push_back({.proto = static_cast<std::uint8_t>(words[i]),
                          .low = static_cast<std::uint16_t>(words[i + 1] >> 16),
                          .high = static_cast<std::uint16_t>(words[i + 1])});
    return ranges;
}

Result<PortClasses> classify_ports(const ServiceTable& services) {
    std::optional<std::uint32_t> any; // equal services share a number, so there is one at most
    for (std::uint32_t service = 0; service < services.size(); ++service)
        if (services.is_any(service)) any = service;
    const std::vector<Edge> edges = edges_of(services);
    PortClasses classes{.count = 1, .line = std::vector<std::uint16_t>(SP_LINE_END), .served = {}};
    Interner signatures;
    Active active;
    std::uint32_t from = 0;
    for (std::size_t next = 0; from < SP_LINE_END;) {
        while (next < edges.size() && edges[next].place == from) step(active, edges[next++]);
        const std::uint32_t to = next < edges.size() ? edges[next].place : SP_LINE_END;
        const std::uint32_t number = signatures.id_of(signature_of(active, any.has_value()));
        if (number > UINT16_MAX || signatures.words() > kWordsMax)
            return fail(ErrorKind::invalid_input,
                        "the rules tell apart more ports than the 65535 classes there is room for",
                        "merge rules whose port ranges overlap");
        std::fill(classes.line.begin() + from, classes.line.begin() + to,
                  static_cast<std::uint16_t>(number));
        from = to;
    }
    classes.count = signatures.size();
    classes.served.resize(services.size());
    fill_served(classes, signatures, any);
    return classes;
}

} // namespace sallyport

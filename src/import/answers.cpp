// SPDX-License-Identifier: Apache-2.0
#include "import/answers.h"

#include "import/spell.h"

#include <algorithm>
#include <iterator>

namespace sallyport::imported {

namespace {

constexpr std::size_t kMostPieces = 5000;
constexpr Wide kFewPorts = 4096;

struct Hit {
    Box box;
    unsigned line = 0;
};

// What of the boxes the list drops, or may; in boxes apart.
std::vector<Hit> dropped(const std::vector<Entry>& list, std::vector<Box> left) {
    std::vector<Hit> hits;
    for (const Entry& entry : list) {
        if (entry.says == Says::log) continue;
        if (entry.says == Says::accept && (!entry.unknown.empty() || entry.often)) continue;
        std::vector<Box> rest;
        for (const Box& box : left) {
            if (entry.says == Says::drop && box.meets(entry.box))
                hits.push_back({box & entry.box, entry.line});
            for (Box& piece : box - entry.box) rest.push_back(std::move(piece));
        }
        left = std::move(rest);
        if (left.size() + hits.size() > kMostPieces) {
            for (Box& box : left) hits.push_back({std::move(box), entry.line});
            break;
        }
    }
    return hits;
}

// Is it dropped by its sender or the interface alone, where others of its kind pass?
bool is_of_some(const Entry& entry, const Box& box) {
    return entry.says == Says::drop &&
           (!entry.box[Dim::src].covers(box[Dim::src]) || !entry.box[Dim::in].covers(box[Dim::in]));
}

// Does the list let them pass, but for those of some senders?
bool accepts(const std::vector<Entry>& list, const std::vector<Box>& boxes) {
    std::vector<Entry> asked;
    std::ranges::copy_if(list, std::back_inserter(asked), [&](const Entry& entry) {
        return !std::ranges::all_of(boxes, [&](const Box& b) { return is_of_some(entry, b); });
    });
    std::vector<Box> left = boxes;
    std::erase_if(left, [](const Box& box) { return box.is_empty(); });
    return dropped(asked, left).empty();
}

// What answers a protocol's opening: from the ports that were asked, to any.
Box answers_of(const Box& opening, const Protocol& protocol, Family family) {
    Box box = followers(family);
    box[Dim::src] = opening[Dim::dst];
    box[Dim::dst] = opening[Dim::src];
    box[Dim::in] = opening[Dim::out];
    box[Dim::out] = opening[Dim::in];
    box[Dim::kind] = RangeSet(0, 0) | RangeSet(3, 3);
    box[Dim::service] = ports_of(protocol.number);
    if (protocol.number == kIcmp4) {
        box[Dim::service] = ports_of(kIcmp4, 0, 255) | ports_of(kIcmp4, 14 << 8, (14 << 8) + 255);
    } else if (protocol.number == kIcmp6) {
        box[Dim::service] = ports_of(kIcmp6, 129 << 8, (129 << 8) + 255) |
                            ports_of(kIcmp6, 140 << 8, (140 << 8) + 255);
    } else if (has_ports(protocol.number) && !protocol.is_whole) {
        box[Dim::sport] = RangeSet(protocol.ports);
    }
    return box;
}

// Few ports of a protocol: those that a client happens to have.
bool are_few(const RangeSet& ports) {
    Wide count = 0;
    for (const Range& range : ports.ranges()) count += range.high - range.low + 1;
    return count <= kFewPorts;
}

// Of an answer that is dropped, the opening that it would answer.
void turn(const Hit& hit, Family family, Unanswered& found) {
    Box opening = everything(family);
    opening[Dim::src] = hit.box[Dim::dst];
    opening[Dim::dst] = hit.box[Dim::src];
    opening[Dim::in] = hit.box[Dim::out];
    opening[Dim::out] = hit.box[Dim::in];
    RangeSet services;
    for (unsigned number = 0; number < 256; ++number) {
        const auto proto = static_cast<std::uint8_t>(number);
        const RangeSet its = hit.box[Dim::service] & ports_of(proto);
        if (its.is_empty()) continue;
        if (has_ports(proto) && are_few(its)) {
            found.by_client_port.insert(hit.line);
        } else if (!has_ports(proto)) {
            services = services | ports_of(proto);
        } else {
            for (const Range& range : hit.box[Dim::sport].ranges())
                services = services | ports_of(proto, range.low, range.high);
        }
    }
    if (services.is_empty()) return;
    opening[Dim::service] = services;
    found.openings.emplace_back(std::move(opening), hit.line);
}

} // namespace

Unanswered unanswered(const Lists& lists, Direction direction, Family family, const Box& opening) {
    const auto& same = lists[static_cast<std::size_t>(direction)];
    const auto& back = lists[direction == Direction::ingress  ? 1
                             : direction == Direction::egress ? 0
                                                              : 2];
    Unanswered found;
    Box on = opening;
    const Box follows = followers(family);
    on[Dim::state] = follows[Dim::state];
    on[Dim::flags] = follows[Dim::flags];
    for (Hit& hit : dropped(same, {on})) {
        for (const Dim dim : {Dim::state, Dim::flags, Dim::kind, Dim::user})
            hit.box[dim] = all_of(dim, family);
        if (are_few(hit.box[Dim::sport])) {
            found.by_client_port.insert(hit.line);
            continue;
        }
        hit.box[Dim::sport] = all_of(Dim::sport, family);
        found.openings.emplace_back(std::move(hit.box), hit.line);
    }
    std::vector<Box> answers;
    if (opening[Dim::service].covers(openers(direction, family)[Dim::service])) {
        Box box = answers_of(opening, {.number = kTcp, .is_whole = true, .ports = {}}, family);
        box[Dim::service] = all_of(Dim::service, family);
        answers.push_back(std::move(box));
    } else {
        const auto protocols = protocols_of(opening[Dim::service], family);
        if (!protocols) return found; // no rule here can say it
        for (const Protocol& protocol : *protocols)
            answers.push_back(answers_of(opening, protocol, family));
    }
    for (const Hit& hit : dropped(back, std::move(answers))) turn(hit, family, found);
    return found;
}

bool lets_errors(const Lists& lists, Family family) {
    Box box = everything(family);
    box[Dim::state] = states({State::related});
    box[Dim::kind] = {0, 0};
    const auto type = [](std::uint8_t proto, Wide number) {
        return ports_of(proto, number << 8, (number << 8) + 255);
    };
    box[Dim::service] = family == Family::v4
                            ? type(kIcmp4, 3) | type(kIcmp4, 11) | type(kIcmp4, 12)
                            : type(kIcmp6, 1) | type(kIcmp6, 2) | type(kIcmp6, 3) | type(kIcmp6, 4);
    return accepts(lists[0], {box});
}

bool lets_neighbours(const Lists& lists) {
    Box box = everything(Family::v6);
    box[Dim::state] = states({State::untracked});
    box[Dim::kind] = {0, 1};
    box[Dim::service] = ports_of(kIcmp6, 135 << 8, 135 << 8) | ports_of(kIcmp6, 136 << 8, 136 << 8);
    Box routers = box;
    routers[Dim::src] = range_of(*parse_prefix("fe80::/10"));
    routers[Dim::service] = ports_of(kIcmp6, 134 << 8, 134 << 8);
    return accepts(lists[0], {box, routers});
}

} // namespace sallyport::imported

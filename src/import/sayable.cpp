// SPDX-License-Identifier: Apache-2.0
// What opens, and which boxes a rule of ours can say.
#include "import/openings.h"
#include "import/spell.h"

namespace sallyport::imported {

namespace {

constexpr std::size_t kMostProtocols = 16;
constexpr Wide kMostUsers = 16;

// Of ICMP what conntrack lets open something; the rest are answers, errors or the link's.
RangeSet requests(Family family) {
    std::vector<Range> types;
    const auto add = [&types](Wide proto, Wide type) {
        types.push_back({proto << 16 | type << 8, proto << 16 | type << 8 | 255});
    };
    if (family == Family::v4)
        for (const unsigned type : {8u, 13u}) add(kIcmp4, type);
    else
        for (const unsigned type : {128u, 139u}) add(kIcmp6, type);
    return RangeSet(std::move(types));
}

std::string users_obstacle(const RangeSet& users) {
    Wide count = 0;
    for (const Range& range : users.ranges()) {
        count += range.high - range.low + 1;
        if (range.low <= kNoUser && kNoUser <= range.high)
            return "a rule here is for one user, not for all but one";
        if (count > kMostUsers) return "it is for too many users";
    }
    return {};
}

} // namespace

Box openers(Direction direction, Family family) {
    Box box = everything(family);
    RangeSet services = all_of(Dim::service, family);
    for (const std::uint8_t icmp : {kIcmp4, kIcmp6}) services = services - ports_of(icmp);
    box[Dim::service] = services | requests(family);
    box[Dim::state] = states({State::fresh});
    box[Dim::flags] = {2, 2}; // SYN
    const auto other = static_cast<Wide>(Kind::other);
    if (direction == Direction::ingress) box[Dim::kind] = {0, other - 1};
    if (direction == Direction::forward) box[Dim::kind] = {other, other};
    return box;
}

std::string obstacle(const Box& box, Direction direction, Family family, bool deny) {
    const Box all = openers(direction, family);
    const auto is_whole = [&](Dim dim) { return box[dim].covers(all[dim]); };
    if (!is_whole(Dim::sport)) return "a rule here knows no source ports";
    if (!is_whole(Dim::kind)) return "a rule here does not tell groups from hosts";
    if (direction == Direction::ingress && !is_whole(Dim::dst))
        return "an ingress rule here is for all addresses of this host";
    if (direction == Direction::egress && !is_whole(Dim::src))
        return "an egress rule here is for all addresses of this host";
    if (direction != Direction::egress && !is_whole(Dim::out))
        return "a rule here knows no interface that a packet leaves by";
    if (direction == Direction::egress && !is_whole(Dim::in))
        return "an egress rule here knows no interface that a packet came by";
    const Dim by = direction == Direction::egress ? Dim::out : Dim::in;
    if (!is_whole(by) && !globs_of(box[by]))
        return "a rule here is for interfaces by name, not for all but some";
    if (!is_whole(Dim::user)) {
        if (direction != Direction::egress) return "only an egress rule here knows users";
        const std::string why = users_obstacle(box[Dim::user]);
        if (!why.empty()) return why;
    }
    if (is_whole(Dim::service)) return {};
    const auto services = protocols_of(box[Dim::service], family);
    if (!services) return "a rule here is for whole ICMP types, not codes";
    if (services->size() > kMostProtocols) return "it is for all protocols but some";
    if (deny)
        for (const Protocol& protocol : *services)
            if (!protocol.is_whole && has_ports(protocol.number) && protocol.ports.front().low == 0)
                return "a rule here does not know port 0";
    return {};
}

Box followers(Family family) {
    Box box = everything(family);
    box[Dim::state] = states({State::established});
    std::vector<Range> flags; // ACK, with or without PSH, URG, FIN; SYN+ACK; RST, RST+ACK
    for (const unsigned value : {0x10u, 0x18u, 0x11u, 0x19u, 0x30u, 0x38u, 0x12u, 0x04u, 0x14u})
        flags.push_back({value, value});
    box[Dim::flags] = RangeSet(std::move(flags));
    return box;
}

std::size_t rules_for(const Opening& opening, Direction direction, Family family) {
    const Box all = openers(direction, family);
    if (opening.box[Dim::service].covers(all[Dim::service])) return 1;
    const auto services = protocols_of(opening.box[Dim::service], family);
    return services ? services->size() : 0;
}

} // namespace sallyport::imported

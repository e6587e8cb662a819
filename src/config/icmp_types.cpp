// SPDX-License-Identifier: Apache-2.0
// ICMP and ICMPv6 types that have a name in a policy: those that a host may be
// asked, or answer, beyond its own link.
#include "config/icmp_types.h"

#include <array>

namespace sallyport::config {

namespace {

struct Named {
    std::string_view name;
    IcmpType type;
};
constexpr std::array<Named, 11> kTypes = {{
    {"echo-reply", {0, 129}},
    {"destination-unreachable", {3, 1}},
    {"redirect", {5, 137}},
    {"echo-request", {8, 128}},
    {"router-advertisement", {9, 134}},
    {"router-solicitation", {10, 133}},
    {"time-exceeded", {11, 3}},
    {"parameter-problem", {12, 4}},
    {"timestamp-request", {13, std::nullopt}},
    {"timestamp-reply", {14, std::nullopt}},
    {"packet-too-big", {std::nullopt, 2}},
}};

} // namespace

std::optional<IcmpType> icmp_type(std::string_view name) {
    for (const Named& named : kTypes)
        if (named.name == name) return named.type;
    return std::nullopt;
}

std::vector<std::string> icmp_type_names() {
    std::vector<std::string> names;
    for (const Named& named : kTypes) names.emplace_back(named.name);
    return names;
}

std::string why_icmp_opens_nothing(Direction direction, std::uint8_t proto, std::uint8_t type) {
    const bool v4 = proto == 1;
    const bool error = v4 ? type == 3 || type == 11 || type == 12 : type >= 1 && type <= 4;
    const bool redirect = type == (v4 ? 5 : 137);
    const bool on_link = !v4 && ((type >= 130 && type <= 136) || type == 143);
    const bool dead =
        v4 ? type == 4 || type == 6 || type == 15 || type == 16 || (type >= 30 && type <= 39)
           : type == 0 || type == 127 || type == 255;
    if (dead) return "it is obsolete or reserved, and always dropped";
    if (error && direction != Direction::egress)
        return "an error passes with the flow that it quotes, by [essentials] icmp-errors, or "
               "not at all";
    if (redirect && direction != Direction::forward)
        return "[essentials] redirects alone says whether redirects pass";
    if (on_link && direction == Direction::ingress)
        return "[essentials] neighbour-discovery alone says whether these messages pass";
    if (type == (v4 ? 0 : 129) && direction != Direction::forward)
        return "a reply to a ping that was let through needs no rule, and opens no flow";
    return {};
}

} // namespace sallyport::config

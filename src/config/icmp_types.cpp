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

} // namespace sallyport::config

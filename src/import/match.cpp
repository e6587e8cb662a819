// SPDX-License-Identifier: Apache-2.0
#include "import/match.h"

#include "import/spell.h"
#include "import/words.h"

#include <algorithm>

namespace sallyport::imported {

namespace {

struct Named {
    std::string_view name;
    unsigned number;
};

template <std::size_t count>
std::optional<unsigned> find(const std::array<Named, count>& list, std::string_view name) {
    const auto found = std::ranges::find(list, name, &Named::name);
    return found == list.end() ? std::nullopt : std::optional(found->number);
}

constexpr std::array<Named, 30> kProtocols{
    {{"hopopt", 0},  {"icmp", 1},        {"igmp", 2},        {"ipencap", 4},    {"ipip", 4},
     {"tcp", 6},     {"egp", 8},         {"igp", 9},         {"udp", 17},       {"dccp", 33},
     {"ipv6", 41},   {"ipv6-route", 43}, {"ipv6-frag", 44},  {"rsvp", 46},      {"gre", 47},
     {"esp", 50},    {"ipv6-crypt", 50}, {"ah", 51},         {"ipv6-auth", 51}, {"ipv6-icmp", 58},
     {"icmpv6", 58}, {"icmp6", 58},      {"ipv6-nonxt", 59}, {"ospf", 89},      {"pim", 103},
     {"vrrp", 112},  {"l2tp", 115},      {"sctp", 132},      {"mh", 135},       {"udplite", 136}}};

constexpr std::array<Named, 16> kIcmp4Types{{{"echo-reply", 0},
                                             {"pong", 0},
                                             {"destination-unreachable", 3},
                                             {"source-quench", 4},
                                             {"redirect", 5},
                                             {"echo-request", 8},
                                             {"ping", 8},
                                             {"router-advertisement", 9},
                                             {"router-solicitation", 10},
                                             {"time-exceeded", 11},
                                             {"ttl-exceeded", 11},
                                             {"parameter-problem", 12},
                                             {"timestamp-request", 13},
                                             {"timestamp-reply", 14},
                                             {"info-request", 15},
                                             {"info-reply", 16}}};
constexpr std::array<Named, 22> kIcmp6Types{{{"destination-unreachable", 1},
                                             {"packet-too-big", 2},
                                             {"time-exceeded", 3},
                                             {"ttl-exceeded", 3},
                                             {"parameter-problem", 4},
                                             {"echo-request", 128},
                                             {"ping", 128},
                                             {"echo-reply", 129},
                                             {"pong", 129},
                                             {"mld-listener-query", 130},
                                             {"mld-listener-report", 131},
                                             {"mld-listener-done", 132},
                                             {"mld-listener-reduction", 132},
                                             {"router-solicitation", 133},
                                             {"nd-router-solicit", 133},
                                             {"router-advertisement", 134},
                                             {"nd-router-advert", 134},
                                             {"neighbour-solicitation", 135},
                                             {"nd-neighbor-solicit", 135},
                                             {"neighbour-advertisement", 136},
                                             {"nd-neighbor-advert", 136},
                                             {"redirect", 137}}};

bool is_family(const Address& address, Family family) {
    return address.is_v4() == (family == Family::v4);
}

// The length of "255.255.0.0" or "ffff::"; none for one with holes.
std::optional<unsigned> mask_length(std::string_view text, Family family) {
    const unsigned bits = family == Family::v4 ? 32 : 128;
    if (const auto length = number_of(text, bits)) return static_cast<unsigned>(*length);
    const auto mask = parse_address(text);
    if (!mask || !is_family(*mask, family)) return std::nullopt;
    const Wide value = number_of(*mask);
    for (unsigned length = 0; length <= bits; ++length) {
        const Wide low = bits - length == 128 ? ~Wide{0} : (Wide{1} << (bits - length)) - 1;
        const Wide all = bits == 128 ? ~Wide{0} : (Wide{1} << bits) - 1;
        if ((all & ~low) == value) return length;
    }
    return std::nullopt;
}

std::string lower(std::string_view text) {
    std::string made(text);
    for (char& c : made)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return made;
}

} // namespace

std::optional<std::uint8_t> protocol_number(std::string_view name) {
    if (const auto number = number_of(name, 255)) return static_cast<std::uint8_t>(*number);
    const auto known = find(kProtocols, lower(name));
    return known ? std::optional(static_cast<std::uint8_t>(*known)) : std::nullopt;
}

std::optional<Range> port_range(std::string_view text, char separator) {
    const std::size_t at = text.find(separator);
    const std::string_view first = text.substr(0, at);
    const std::string_view second = at == std::string_view::npos ? first : text.substr(at + 1);
    if (text.empty() || (text.size() == 1 && at == 0)) return std::nullopt;
    const auto low = first.empty() ? 0 : number_of(first, 65535);
    const auto high = second.empty() ? 65535 : number_of(second, 65535);
    if (!low || !high || *low > *high) return std::nullopt;
    return Range{*low, *high};
}

std::optional<RangeSet> addresses(std::string_view text, Family family) {
    const std::size_t slash = text.find('/');
    const auto base = parse_address(text.substr(0, slash));
    if (!base || !is_family(*base, family)) return std::nullopt;
    const unsigned bits = family == Family::v4 ? 32 : 128;
    const auto length = slash == std::string_view::npos
                            ? std::optional(bits)
                            : mask_length(text.substr(slash + 1), family);
    if (!length) return std::nullopt;
    return range_of(prefix_of(*base, *length + (128 - bits)));
}

std::optional<RangeSet> address_range(std::string_view text, Family family) {
    const std::size_t dash = text.find('-');
    const auto low = parse_address(text.substr(0, dash));
    const auto high = parse_address(dash == std::string_view::npos ? text : text.substr(dash + 1));
    if (!low || !high || !is_family(*low, family) || !is_family(*high, family) ||
        number_of(*low) > number_of(*high))
        return std::nullopt;
    return RangeSet(number_of(*low), number_of(*high));
}

std::optional<RangeSet> icmp_type(std::string_view text, Family family) {
    const std::uint8_t proto = family == Family::v4 ? kIcmp4 : kIcmp6;
    if (text == "any" || (text == "255" && family == Family::v4)) return ports_of(proto);
    const std::size_t slash = text.find('/');
    const std::string_view name = text.substr(0, slash);
    auto type = number_of(name, 255);
    if (!type) {
        const auto known = family == Family::v4 ? find(kIcmp4Types, name) : find(kIcmp6Types, name);
        if (!known) return std::nullopt;
        type = *known;
    }
    if (slash == std::string_view::npos) return ports_of(proto, *type << 8, *type << 8 | 255);
    const auto code = number_of(text.substr(slash + 1), 255);
    if (!code) return std::nullopt;
    return ports_of(proto, *type << 8 | *code, *type << 8 | *code);
}

std::optional<State> conntrack_state(std::string_view name) {
    constexpr std::array<Named, 5> names{
        {{"new", 0}, {"established", 1}, {"related", 2}, {"invalid", 3}, {"untracked", 4}}};
    const auto known = find(names, lower(name));
    return known ? std::optional(static_cast<State>(*known)) : std::nullopt;
}

std::optional<Kind> destination_kind(std::string_view name) {
    constexpr std::array<Named, 4> names{
        {{"local", 0}, {"multicast", 1}, {"broadcast", 2}, {"unicast", 3}}};
    const auto known = find(names, lower(name));
    return known ? std::optional(static_cast<Kind>(*known)) : std::nullopt;
}

RangeSet tcp_flags(unsigned mask, unsigned set) {
    std::vector<Range> values;
    for (unsigned value = 0; value < 64; ++value)
        if ((value & mask) == set) values.push_back({value, value});
    return RangeSet(std::move(values));
}

std::optional<unsigned> flag_bits(std::string_view names) {
    constexpr std::array<Named, 8> known{{{"fin", 1},
                                          {"syn", 2},
                                          {"rst", 4},
                                          {"psh", 8},
                                          {"ack", 16},
                                          {"urg", 32},
                                          {"all", 63},
                                          {"none", 0}}};
    unsigned bits = 0;
    for (const std::string& name : parts_of(names, ',')) {
        const auto bit = find(known, lower(name));
        if (!bit) return std::nullopt;
        bits |= *bit;
    }
    return bits;
}

bool read_rate(std::string_view text, Often& often) {
    const std::size_t slash = text.find('/');
    const auto count = number_of(text.substr(0, slash), 1'000'000'000);
    if (!count || *count == 0) return false;
    const std::string unit =
        slash == std::string_view::npos ? "second" : lower(text.substr(slash + 1));
    if (unit.empty()) return false;
    for (const auto& [name, seconds] :
         {Named{"second", 1}, Named{"minute", 60}, Named{"hour", 3600}, Named{"day", 86400}})
        if (name.starts_with(unit)) {
            often.count = *count;
            often.per = std::chrono::seconds(seconds);
            return true;
        }
    return false;
}

} // namespace sallyport::imported

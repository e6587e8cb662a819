// SPDX-License-Identifier: Apache-2.0
#include "import/spell.h"

#include "base/text.h"

#include <algorithm>

namespace sallyport::imported {

namespace {

unsigned bits_of(Family family) {
    return family == Family::v4 ? 32 : 128;
}

Address address_of(Wide number, Family family) {
    if (family == Family::v4) return Address::v4(static_cast<std::uint32_t>(number));
    Address address;
    for (std::size_t i = 16; i-- > 0; number >>= 8)
        address.bytes[i] = static_cast<std::uint8_t>(number & 0xff);
    return address;
}

std::string network(Wide low, unsigned length, Family family) {
    const std::string address = to_string(address_of(low, family));
    return length == bits_of(family) ? address : address + "/" + std::to_string(length);
}

std::vector<std::string> networks(const RangeSet& addresses, Family family) {
    std::vector<std::string> found;
    for (const Range& range : addresses.ranges()) {
        Wide low = range.low;
        for (;;) {
            unsigned free = 0; // bits of the greatest network that begins here and ends within
            while (free < bits_of(family)) {
                const Wide mask = free == 127 ? ~Wide{0} : (Wide{2} << free) - 1;
                if ((low & mask) != 0 || range.high - low < mask) break;
                ++free;
            }
            found.push_back(network(low, bits_of(family) - free, family));
            const Wide last = low + (free == 128 ? ~Wide{0} : (Wide{1} << free) - 1);
            if (last >= range.high) break;
            low = last + 1;
        }
    }
    return found;
}

// The smallest network around all.
RangeSet hull(const RangeSet& addresses) {
    const Wide low = addresses.ranges().front().low;
    const Wide high = addresses.ranges().back().high;
    Wide mask = 0;
    while ((low & ~mask) != (high & ~mask)) mask = mask << 1 | 1;
    return {low & ~mask, low | mask};
}

std::string name_of(Wide number, std::size_t bytes) {
    std::string name;
    for (std::size_t i = 0; i < bytes; ++i)
        name += static_cast<char>(static_cast<unsigned char>(number >> (8 * (15 - i)) & 0xff));
    return name;
}

bool is_icmp(std::uint8_t number, Family family) {
    return number == (family == Family::v4 ? kIcmp4 : kIcmp6);
}

std::optional<std::vector<Range>> whole_types(const RangeSet& codes) {
    std::vector<Range> types;
    for (const Range& range : codes.ranges()) {
        if ((range.low & 255) != 0 || (range.high & 255) != 255) return std::nullopt;
        types.push_back({range.low >> 8 & 255, range.high >> 8 & 255});
    }
    return types;
}

} // namespace

std::optional<std::vector<Protocol>> protocols_of(const RangeSet& services, Family family) {
    std::vector<Protocol> found;
    for (unsigned number = 0; number < 256; ++number) {
        const auto proto = static_cast<std::uint8_t>(number);
        const RangeSet all = ports_of(proto);
        const RangeSet its = services & all;
        if (its.is_empty()) continue;
        Protocol protocol{.number = proto, .is_whole = its == all, .ports = {}};
        if (is_icmp(proto, family) && !protocol.is_whole) {
            const auto types = whole_types(its);
            if (!types) return std::nullopt;
            protocol.ports = *types;
        } else if (!protocol.is_whole) {
            for (const Range& range : its.ranges())
                protocol.ports.push_back({range.low & 0xffff, range.high & 0xffff});
        }
        found.push_back(std::move(protocol));
    }
    return found;
}

std::optional<std::vector<std::string>> globs_of(const RangeSet& interfaces) {
    std::vector<std::string> globs;
    for (const Range& range : interfaces.ranges()) {
        std::size_t bytes = 16;
        while (bytes > 0 && (range.low >> (8 * (16 - bytes)) & 0xff) == 0) --bytes;
        std::string name = name_of(range.low, bytes);
        const bool is_one = range.low == range.high;
        if (!is_one && !(RangeSet(range.low, range.high) == interface_named(name, true)))
            return std::nullopt;
        if (name.empty() || name.size() > 15 || name.find_first_of("*?[\\\0") != name.npos ||
            !is_printable(name))
            return std::nullopt;
        if (!is_one) name += '*';
        if (name.size() > 15) return std::nullopt;
        globs.push_back(std::move(name));
    }
    return globs;
}

Networks networks_of(const RangeSet& addresses, Family family) {
    if (addresses.is_empty()) return {};
    Networks plain{.in = networks(addresses, family), .except = {}};
    const RangeSet around = hull(addresses);
    Networks but{.in = networks(around, family), .except = networks(around - addresses, family)};
    return but.in.size() + but.except.size() < plain.in.size() ? but : plain;
}

Wide number_of(const Address& address) {
    if (address.is_v4()) return address.v4_value();
    Wide number = 0;
    for (const std::uint8_t byte : address.bytes) number = number << 8 | byte;
    return number;
}

RangeSet range_of(const Prefix& prefix) {
    const Wide low = number_of(prefix.base);
    const unsigned free =
        bits_of(prefix.is_v4() ? Family::v4 : Family::v6) - prefix.family_length();
    return {low, low | (free == 128 ? ~Wide{0} : (Wide{1} << free) - 1)};
}

std::string protocol_name(std::uint8_t number) {
    switch (number) {
    case kTcp:
        return "tcp";
    case kUdp:
        return "udp";
    case kSctp:
        return "sctp";
    case kUdpLite:
        return "udp-lite";
    default:
        return std::to_string(number);
    }
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : escaped(text)) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

} // namespace sallyport::imported

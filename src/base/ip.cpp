// SPDX-License-Identifier: Apache-2.0
// Text to address and back. The parsers take exactly what inet_pton(3) takes;
// they are written by hand because a zone file may hold a million lines.
#include "base/ip.h"

#include <algorithm>
#include <bit>

namespace sallyport {

namespace {

constexpr unsigned kMappedBits = 96;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

int hex_value(char c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// Four decimal numbers of 0 to 255 without leading zeros.
std::optional<std::uint32_t> parse_quad(std::string_view text) {
    std::uint32_t value = 0;
    std::size_t at = 0;
    for (int part = 0; part < 4; ++part) {
        if (part > 0 && (at == text.size() || text[at++] != '.')) return std::nullopt;
        const std::size_t start = at;
        std::uint32_t number = 0;
        while (at < text.size() && is_digit(text[at]) && at - start < 3)
            number = number * 10 + static_cast<std::uint32_t>(text[at++] - '0');
        if (at == start || number > 255) return std::nullopt;
        if (at - start > 1 && text[start] == '0') return std::nullopt;
        value = value << 8 | number;
    }
    if (at != text.size()) return std::nullopt;
    return value;
}

void put_quad(Address& address, std::size_t at, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i)
        address.bytes[at + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
}

// Everything right of "::" was written at the front; moves it to the end.
void spread(Address& address, std::size_t gap, std::size_t filled) {
    const auto front = address.bytes.begin();
    const auto move = static_cast<std::ptrdiff_t>(gap);
    std::rotate(front + move, front + static_cast<std::ptrdiff_t>(filled), address.bytes.end());
}

std::optional<Address> parse_v6(std::string_view text) {
    Address address;
    std::size_t filled = 0;
    std::size_t at = 0;
    std::optional<std::size_t> gap;
    if (text.starts_with("::")) {
        gap = 0;
        at = 2;
    }
    while (at < text.size()) {
        if (filled == 16) return std::nullopt;
        const std::size_t start = at;
        unsigned group = 0;
        for (int digit = 0; at < text.size() && (digit = hex_value(text[at])) >= 0; ++at) {
            if (at - start == 4) return std::nullopt;
            group = group << 4 | static_cast<unsigned>(digit);
        }
        if (at < text.size() && text[at] == '.') {
            const std::optional<std::uint32_t> quad = parse_quad(text.substr(start));
            if (!quad || filled > 12) return std::nullopt;
            put_quad(address, filled, *quad);
            filled += 4;
            break;
        }
        if (at == start) return std::nullopt;
        address.bytes[filled++] = static_cast<std::uint8_t>(group >> 8);
        address.bytes[filled++] = static_cast<std::uint8_t>(group);
        if (at == text.size()) break;
        if (text[at++] != ':' || at == text.size()) return std::nullopt;
        if (text[at] == ':') {
            if (gap) return std::nullopt;
            gap = filled;
            ++at;
        }
    }
    if (gap ? filled == 16 : filled != 16) return std::nullopt;
    if (gap) spread(address, *gap, filled);
    return address;
}

std::optional<unsigned> parse_length(std::string_view text) {
    if (text.empty() || text.size() > 3 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
    unsigned value = 0;
    for (const char c : text) {
        if (!is_digit(c)) return std::nullopt;
        value = value * 10 + static_cast<unsigned>(c - '0');
    }
    return value;
}

// As a message shows it: whatever it is, no more than a line of it.
std::string shown(std::string_view text) {
    constexpr std::size_t kShown = 60;
    return "\"" + std::string(text.substr(0, kShown)) + (text.size() > kShown ? "..." : "") + "\"";
}

std::unexpected<Error> bad_length(std::string_view text, std::string_view length, bool dotted) {
    std::string hint;
    if (const std::optional<std::uint32_t> mask = dotted ? parse_quad(length) : std::nullopt;
        mask && std::countl_one(*mask) + std::countr_zero(*mask) >= 32) {
        const std::string_view base = text.substr(0, text.size() - length.size());
        hint = "did you mean " + std::string(base) + std::to_string(std::countl_one(*mask)) + "?";
    }
    return fail(ErrorKind::invalid_input,
                shown(text) + ": a prefix length is a number from 0 to " + (dotted ? "32" : "128"),
                std::move(hint));
}

std::unexpected<Error> no_address(std::string_view text) {
    return fail(ErrorKind::invalid_input, shown(text) + " is not an IP address or network");
}

std::string quad_text(std::uint32_t value) {
    return std::to_string(value >> 24) + "." + std::to_string(value >> 16 & 255) + "." +
           std::to_string(value >> 8 & 255) + "." + std::to_string(value & 255);
}

// First and length of the longest run of two or more zero groups, the first of equals.
std::pair<std::size_t, std::size_t> longest_zero_run(const std::array<unsigned, 8>& groups) {
    std::pair<std::size_t, std::size_t> best{8, 1};
    for (std::size_t i = 0; i < 8;) {
        std::size_t end = i;
        while (end < 8 && groups[end] == 0) ++end;
        if (end - i > best.second) best = {i, end - i};
        i = std::max(end, i + 1);
    }
    return best;
}

void append_hex(std::string& text, unsigned group) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (int shift = 12; shift >= 0; shift -= 4)
        if (group >> shift != 0 || shift == 0) text += kDigits[group >> shift & 15];
}

} // namespace

Address Address::v4(std::uint32_t host_order) {
    Address address;
    address.bytes[10] = address.bytes[11] = 0xff;
    put_quad(address, 12, host_order);
    return address;
}

bool Address::is_v4() const {
    for (std::size_t i = 0; i < 10; ++i)
        if (bytes[i] != 0) return false;
    return bytes[10] == 0xff && bytes[11] == 0xff;
}

std::uint32_t Address::v4_value() const {
    return static_cast<std::uint32_t>(bytes[12]) << 24 |
           static_cast<std::uint32_t>(bytes[13]) << 16 |
           static_cast<std::uint32_t>(bytes[14]) << 8 | bytes[15];
}

std::optional<Address> parse_address(std::string_view text) {
    if (text.find(':') != std::string_view::npos) return parse_v6(text);
    const std::optional<std::uint32_t> quad = parse_quad(text);
    if (!quad) return std::nullopt;
    return Address::v4(*quad);
}

std::string to_string(const Address& address) {
    if (address.is_v4()) return quad_text(address.v4_value());
    std::array<unsigned, 8> groups{};
    for (std::size_t i = 0; i < 8; ++i)
        groups[i] = static_cast<unsigned>(address.bytes[2 * i] << 8 | address.bytes[2 * i + 1]);
    const auto [gap, run] = longest_zero_run(groups);
    std::string text;
    for (std::size_t i = 0; i < 8; ++i) {
        if (i == gap) {
            text += "::";
            i += run - 1;
            continue;
        }
        if (!text.empty() && text.back() != ':') text += ':';
        append_hex(text, groups[i]);
    }
    return text;
}

bool Prefix::covers(const Address& address) const {
    if (is_v4() != address.is_v4()) return false;
    const std::size_t whole = length / 8;
    if (!std::equal(base.bytes.begin(), base.bytes.begin() + static_cast<std::ptrdiff_t>(whole),
                    address.bytes.begin()))
        return false;
    const unsigned rest = length % 8;
    return rest == 0 || (base.bytes[whole] ^ address.bytes[whole]) >> (8 - rest) == 0;
}

Prefix prefix_of(Address base, unsigned mapped_length) {
    const unsigned length = std::min(mapped_length, 128u);
    for (std::size_t i = 0; i < 16; ++i) {
        const unsigned first = static_cast<unsigned>(8 * i);
        if (first >= length)
            base.bytes[i] = 0;
        else if (length - first < 8)
            base.bytes[i] &= static_cast<std::uint8_t>(0xff00u >> (length - first));
    }
    return Prefix{.base = base, .length = static_cast<std::uint8_t>(length)};
}

Result<Prefix> parse_prefix(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::string_view host = text.substr(0, slash);
    const std::optional<Address> address = parse_address(host);
    if (!address) return no_address(text);
    if (slash == std::string_view::npos) return Prefix{.base = *address, .length = 128};

    const bool dotted =
        host.find(':') == std::string_view::npos; // ::ffff:10.0.0.0/104 counts all bits
    const std::string_view length_text = text.substr(slash + 1);
    const std::optional<unsigned> length = parse_length(length_text);
    if (!length || *length > (dotted ? 32u : 128u)) return bad_length(text, length_text, dotted);
    const Prefix prefix = prefix_of(*address, dotted ? *length + kMappedBits : *length);
    if (prefix.base == *address) return prefix;
    return fail(ErrorKind::invalid_input, shown(text) + " has host bits set",
                "did you mean " + to_string(prefix) + "?");
}

std::string to_string(const Prefix& prefix) {
    const unsigned length = prefix.family_length();
    const std::string base = to_string(prefix.base);
    if (prefix.length == 128) return base;
    return base + "/" + std::to_string(length);
}

} // namespace sallyport

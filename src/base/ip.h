// SPDX-License-Identifier: Apache-2.0
#pragma once
// Addresses and prefixes. IPv4 lives in its mapped form ::ffff:a.b.c.d, so that
// one type serves both families; the family is a question to the value.
#include "base/result.h"

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

struct Address {
    std::array<std::uint8_t, 16> bytes{}; // network byte order

    [[nodiscard]] static Address v4(std::uint32_t host_order);
    [[nodiscard]] bool is_v4() const;              // mapped
    [[nodiscard]] std::uint32_t v4_value() const;  // host order; only when is_v4()
    [[nodiscard]] bool bit(unsigned index) const { // 0 is the most significant of 128
        return (bytes[index / 8] >> (7 - index % 8) & 1) != 0;
    }
    auto operator<=>(const Address&) const = default;
};

// "10.0.0.1", "fd00::1"; no zone index, no port. nullopt when it is not an address.
[[nodiscard]] std::optional<Address> parse_address(std::string_view text);
// Mapped addresses print as dotted quads, IPv6 as RFC 5952 asks.
[[nodiscard]] std::string to_string(const Address& address);

// A network. `length` counts in mapped form: an IPv4 /8 has 104. A prefix is of
// the IPv4 family when its base is mapped and its length at least 96; those of
// the other family never cover it, ::/0 neither.
struct Prefix {
    Address base; // bits past length are zero
    std::uint8_t length = 128;

    [[nodiscard]] bool is_v4() const { return length >= 96 && base.is_v4(); }
    [[nodiscard]] unsigned family_length() const { return is_v4() ? length - 96u : length; }
    [[nodiscard]] bool covers(const Address& address) const;
    auto operator<=>(const Prefix&) const = default;
};

[[nodiscard]] Prefix prefix_of(Address base, unsigned mapped_length); // clears the host bits
// "10.0.0.0/8", "10.0.0.1", "fd00::/8". An error names what is wrong: no address,
// a length out of range, host bits set ("10.0.0.1/8: did you mean 10.0.0.0/8?").
[[nodiscard]] Result<Prefix> parse_prefix(std::string_view text);
[[nodiscard]] std::string to_string(const Prefix& prefix);

} // namespace sallyport

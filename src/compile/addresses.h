// SPDX-License-Identifier: Apache-2.0
#pragma once
// Addresses by what all the peers of a policy say of them: in which atoms they
// lie and how long the longest prefix is that says so, because the most
// specific prefix wins. Both families share one numbering; class 0 is the
// address that no peer holds.
#include "base/result.h"
#include "compile/classes.h"
#include "compile/peers.h"

#include <compare>
#include <cstdint>
#include <vector>

namespace sallyport {

struct Bits128 {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    auto operator<=>(const Bits128&) const = default;
};

// A network of one family and the class of what lies in it and in no smaller one.
template <typename Base> struct Network {
    Base base{};
    std::uint32_t address_class = 0;
    std::uint8_t length = 0; // in its family
};

struct AddressClasses {
    std::vector<Network<std::uint32_t>> v4; // by base, then length: an enclosing one comes first
    std::vector<Network<Bits128>> v6;
    std::uint32_t v4_default = 0; // 0.0.0.0/0 and ::/0 are here, not among the networks
    std::uint32_t v6_default = 0;
    Interner classes; // each the words atom << 8 | length + 1, by atom
};

inline std::uint32_t atom_of(std::uint32_t word) {
    return word >> 8;
}
inline std::uint32_t specificity_of(std::uint32_t word) {
    return word & 0xff;
}

// Fails when lists overlap in more ways than memory should be spent on.
[[nodiscard]] Result<AddressClasses> classify_addresses(const Peers& peers);

// The last address of a network.
[[nodiscard]] std::uint32_t last_of(const Network<std::uint32_t>& network);
[[nodiscard]] Bits128 last_of(const Network<Bits128>& network);

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a rule matches: one set for each thing that rules ask of a packet; a packet is
// in the box when each of its values is in its set. Of one family.
#include "import/ranges.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sallyport::imported {

enum class Family : std::uint8_t { v4, v6 };

enum class Dim : std::uint8_t {
    src,     // the address, in its family's bits
    dst,     // the same
    in,      // a name of an interface, as a number of 16 bytes
    out,     // the same
    service, // protocol << 16 | destination port; of ICMP type << 8 | code
    sport,   // of what has ports; all of the rest
    state,   // conntrack's, a State
    flags,   // TCP's six, of the rest all
    kind,    // of the destination, a Kind
    user,    // of the socket; kNoUser and above: none, or one known by name
};
constexpr std::size_t kDims = 10;

enum class State : std::uint8_t { fresh, established, related, invalid, untracked };
enum class Kind : std::uint8_t { local, multicast, broadcast, other };

constexpr std::uint8_t kIcmp4 = 1, kTcp = 6, kUdp = 17, kIcmp6 = 58, kSctp = 132, kUdpLite = 136;
constexpr Wide kNoUser = Wide{1} << 32;

struct Box {
    std::array<RangeSet, kDims> sets;

    [[nodiscard]] RangeSet& operator[](Dim dim) { return sets[static_cast<std::size_t>(dim)]; }
    [[nodiscard]] const RangeSet& operator[](Dim dim) const {
        return sets[static_cast<std::size_t>(dim)];
    }
    [[nodiscard]] bool is_empty() const;
    [[nodiscard]] bool covers(const Box& other) const;
    [[nodiscard]] bool meets(const Box& other) const;
    [[nodiscard]] Box operator&(const Box& other) const;
    // What is left of this one, in boxes apart.
    [[nodiscard]] std::vector<Box> operator-(const Box& other) const;
};

// All packets of a family but loopback's, which is never judged.
[[nodiscard]] Box everything(Family family);
[[nodiscard]] RangeSet all_of(Dim dim, Family family);
[[nodiscard]] RangeSet states(std::initializer_list<State> list);
[[nodiscard]] RangeSet ports_of(std::uint8_t proto, Wide low = 0, Wide high = 65535);
[[nodiscard]] bool has_ports(std::uint8_t proto);
// A name, or all that begin with it. A name too long is none.
[[nodiscard]] RangeSet interface_named(const std::string& name, bool is_prefix);

} // namespace sallyport::imported

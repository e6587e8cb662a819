// SPDX-License-Identifier: Apache-2.0
#pragma once
// Datagrams in pieces, and the table of fragments as it lies in the kernel.
#include "support/instance.h"
#include "support/packet.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace sallyport::test {

// A datagram that is cut up by hand.
struct Datagram {
    Family family = Family::v4;
    std::uint8_t proto = 17; // what its first header is
    Bytes bytes{};           // what is cut up: all behind the IP header
    std::uint32_t id = 0x5a11;
    std::string src{}; // empty: the peer
    std::string dst{}; // empty: the host

    // `size` of its bytes from `offset`, a multiple of 8; what lies beyond the end is zeroes.
    [[nodiscard]] Packet piece(std::size_t offset, std::size_t size, bool more) const;
};

// A transport header and `size` bytes behind it.
[[nodiscard]] Datagram datagram(Family family, const Packet& transport, std::size_t size);

// Entries in use, those whose time is over included.
[[nodiscard]] std::vector<sp_fragment> read_fragments(const Instance& instance);
// As if so much time had passed since each datagram's first fragment.
void age_fragments(const Instance& instance, std::chrono::nanoseconds age);
// Every entry taken by a datagram of nobody's, as of now.
void fill_fragments(const Instance& instance);
void forget_fragments(const Instance& instance);

} // namespace sallyport::test

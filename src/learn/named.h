// SPDX-License-Identifier: Apache-2.0
#pragma once
// Peers of a service by the word that a rule has for them: a zone or a network.
#include "learn/networks.h"
#include "learn/seen.h"

#include <string>
#include <vector>

namespace sallyport::learn {

struct Member {
    Address address;       // that is to be named
    std::string interface; // where it came in; "": not known
    const Peer* peer = nullptr;
    const Tally* tally = nullptr;
};

struct Named {
    std::string word;
    bool is_zone = false;
    bool is_widened = false;
    std::vector<Member> members{};
    [[nodiscard]] std::uint64_t openings() const;
    [[nodiscard]] std::uint64_t events() const;
    [[nodiscard]] WallTime first() const;
    [[nodiscard]] WallTime last() const;
    // Only as often as that, and not open since before.
    [[nodiscard]] bool is_rarer_than(std::uint64_t least) const;
};

// The same of one peer.
[[nodiscard]] bool is_rarer_than(const Tally& tally, std::uint64_t least);

// Zones first, none that another of them makes needless; then networks. Most frequent first.
[[nodiscard]] std::vector<Named> named_of(const std::vector<Member>& members,
                                          const KnownZones& zones, std::size_t most);

} // namespace sallyport::learn

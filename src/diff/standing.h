// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which of two sets of peers holds an address by the longer prefix.
#include "diff/sets.h"
#include "diff/space.h"

#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace sallyport::diff {

using Interface = std::optional<std::size_t>; // a class; none: not known

// Addresses that both hold: the one by the longer prefix, both alike, the other.
struct Standing {
    SetId more = Sets::kEmpty;
    SetId equal = Sets::kEmpty;
    SetId less = Sets::kEmpty;
};

class Standings {
  public:
    // Both must outlive this, as must all peers that are given.
    Standings(const Space& space, Sets& sets) : space_(space), sets_(sets) {}

    [[nodiscard]] const Standing& of(const PeerSet& a, const PeerSet& b, Interface interface);

  private:
    using Lengths = std::vector<std::pair<unsigned, SetId>>;
    // Addresses by the longest prefix that holds them.
    const Lengths& lengths_of(const PeerSet& peers, Interface interface);

    const Space& space_;
    Sets& sets_;
    std::map<std::pair<const PeerSet*, Interface>, Lengths> lengths_;
    std::map<std::tuple<const PeerSet*, const PeerSet*, Interface>, Standing> standings_;
};

} // namespace sallyport::diff

// SPDX-License-Identifier: Apache-2.0
#pragma once
// From what an address sees back to the sets of peers that hold it.
#include "compile/interfaces.h"
#include "compile/peers.h"

#include <cstdint>
#include <span>
#include <vector>

namespace sallyport {

struct Match {
    std::uint32_t set = 0;    // index in the sets given
    std::uint32_t length = 0; // of the longest prefix that matches, plus 1
};

// The atoms of several sets of peers, turned round.
class PeerIndex {
  public:
    PeerIndex(std::uint32_t atoms, std::span<const PeerRefs> sets);
    // The sets that hold an address class (its words, as AddressClasses has them) on
    // an interface class, in no order. Valid until the next call.
    std::span<const Match> matching(std::span<const std::uint32_t> words,
                                    const std::vector<bool>& interface);

  private:
    struct Use {
        std::uint32_t set;
        std::uint32_t globs;
    };
    std::vector<std::vector<Use>> uses_;  // by atom
    std::vector<std::uint32_t> place_of_; // by set: its index in found_ plus 1, 0 when not found
    std::vector<Match> found_;
};

} // namespace sallyport

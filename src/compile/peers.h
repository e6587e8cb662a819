// SPDX-License-Identifier: Apache-2.0
#pragma once
// The peers that a policy names, each list of prefixes and each part of a set
// once, however many rules share it: by pointer first, then by content.
#include "compile/classes.h"
#include "compile/interfaces.h"
#include "policy/policy.h"

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace sallyport {

// A part of a set of peers: which addresses, and where.
struct PartRef {
    std::uint32_t atom = 0;  // of Peers
    std::uint32_t globs = 0; // of GlobSets
};
using PeerRefs = std::vector<PartRef>;

// An atom is a list of networks and the lists it excepts. Atoms count from 1.
class Peers {
  public:
    PeerRefs add(const PeerSet& peers, GlobSets& globs);
    [[nodiscard]] const std::vector<PrefixList>& lists() const { return lists_; }
    [[nodiscard]] std::uint32_t atoms() const { return atoms_.size(); } // one past the last
    // The list of networks first, then those excepted. Numbers of lists().
    [[nodiscard]] std::span<const std::uint32_t> atom(std::uint32_t number) const {
        return atoms_.at(number);
    }

  private:
    std::uint32_t list_number(const PrefixList& list);

    std::vector<PrefixList> lists_;
    std::unordered_map<const void*, std::uint32_t> by_pointer_;
    std::unordered_multimap<std::uint64_t, std::uint32_t> by_content_;
    std::vector<PrefixList> kept_; // so that no pointer in by_pointer_ is used again
    Interner atoms_;
};

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the kernel has in front of its tries of bans, against what their entries ask for: an
// entry whose level or bits are not set is never found, and bans nobody.
#include "base/ip.h"
#include "sallyport/abi/ban.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sallyport {

// As it was read. Fewer chunks than there should be: those that lack are all zero.
struct BanGate {
    std::uint32_t levels = 0; // as in sp_ban_state
    std::vector<sp_bits> chunks;
};

class BanGateCheck {
  public:
    explicit BanGateCheck(const BanGate& gate);

    [[nodiscard]] bool has_level_of(const Prefix& prefix) const;
    // How many of its bits are not set; of a prefix shorter than the shortest level there may
    // be many.
    [[nodiscard]] std::size_t unset_bits_of(const Prefix& prefix) const;
    // From now on its level and its bits have a reason to be set.
    void explain(const Prefix& prefix);
    // What is set without any: it costs a look into a trie, and bans nobody.
    [[nodiscard]] std::uint32_t idle_levels() const { return gate_.levels & ~levels_; }
    [[nodiscard]] std::size_t idle_bits() const;

  private:
    const BanGate& gate_;
    std::uint32_t levels_ = 0;
    std::vector<bool> explained_; // by bit
};

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bitmap in front of the tries of bans (abi/ban.h), with how many entries stand behind
// each bit, so that one that is taken away leaves it to the others.
#include "base/ip.h"
#include "sallyport/abi/ban.h"

#include <array>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

namespace sallyport {

// The level of the bitmap at which a prefix stands, and each of its bits there.
[[nodiscard]] std::uint32_t ban_level_of(const Prefix& prefix);
void each_ban_bit(const Prefix& prefix, const std::function<void(std::uint32_t bit)>& call);

class BanBits {
  public:
    BanBits();

    void add(const Prefix& prefix);
    void remove(const Prefix& prefix); // of one that was added

    [[nodiscard]] sp_ban_state state() const;
    [[nodiscard]] const std::vector<sp_bits>& chunks() const { return chunks_; }
    // Indices of the chunks that have changed since they were written.
    [[nodiscard]] const std::vector<std::uint32_t>& changed() const { return changed_; }
    void note_written();

  private:
    std::vector<sp_bits> chunks_;
    std::unordered_map<std::uint32_t, std::uint32_t> behind_; // entries, by bit
    std::array<std::uint32_t, 8> levels_{};                   // entries, by level
    std::vector<std::uint32_t> changed_;
    std::vector<bool> is_changed_;

    void flip(std::uint32_t bit);
    void set(std::uint32_t bit);
    void clear(std::uint32_t bit);
};

} // namespace sallyport

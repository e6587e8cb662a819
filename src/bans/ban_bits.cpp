// SPDX-License-Identifier: Apache-2.0
#include "bans/ban_bits.h"

namespace sallyport {
namespace {

struct Level {
    std::uint32_t number;
    unsigned bits; // of the 48
};

constexpr std::array<Level, 3> kLevels4{
    {{SP_BAN_LEVEL_V4_24, 24}, {SP_BAN_LEVEL_V4_16, 16}, {SP_BAN_LEVEL_V4_8, 8}}};
constexpr std::array<Level, 3> kLevels6{
    {{SP_V6_LEVEL_48, 48}, {SP_V6_LEVEL_32, 32}, {SP_V6_LEVEL_16, 16}}};

Level level_of(const Prefix& prefix) {
    const std::array<Level, 3>& levels = prefix.is_v4() ? kLevels4 : kLevels6;
    for (const Level& level : levels)
        if (prefix.family_length() >= level.bits) return level;
    return levels.back();
}

std::uint64_t first48(const Prefix& prefix) {
    const std::size_t at = prefix.is_v4() ? 12 : 0;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 6; i++)
        value = value << 8 | (at + i < 16 ? prefix.base.bytes[at + i] : 0u);
    return value;
}

} // namespace

std::uint32_t ban_level_of(const Prefix& prefix) {
    return level_of(prefix).number;
}

void each_ban_bit(const Prefix& prefix, const std::function<void(std::uint32_t bit)>& call) {
    const Level level = level_of(prefix);
    const unsigned length = prefix.family_length();
    const std::uint64_t step = std::uint64_t{1} << (48 - level.bits);
    const std::uint64_t first = first48(prefix) / step * step;
    const std::uint64_t count = length < level.bits ? std::uint64_t{1} << (level.bits - length) : 1;
    for (std::uint64_t i = 0; i < count; i++) call(sp_v6_bit(first + i * step, level.number));
}

BanBits::BanBits() : chunks_(SP_V6_BITS / SP_CHUNK_BITS), is_changed_(chunks_.size()) {}

void BanBits::flip(std::uint32_t bit) {
    const std::uint32_t chunk = bit / SP_CHUNK_BITS;
    chunks_[chunk].words[bit % SP_CHUNK_BITS / 64] ^= std::uint64_t{1} << (bit % 64);
    if (is_changed_[chunk]) return;
    is_changed_[chunk] = true;
    changed_.push_back(chunk);
}

void BanBits::set(std::uint32_t bit) {
    if (++behind_[bit] == 1) flip(bit);
}

void BanBits::clear(std::uint32_t bit) {
    const auto at = behind_.find(bit);
    if (at == behind_.end() || --at->second != 0) return;
    behind_.erase(at);
    flip(bit);
}

void BanBits::add(const Prefix& prefix) {
    ++levels_[level_of(prefix).number];
    each_ban_bit(prefix, [this](std::uint32_t bit) { set(bit); });
}

void BanBits::remove(const Prefix& prefix) {
    --levels_[level_of(prefix).number];
    each_ban_bit(prefix, [this](std::uint32_t bit) { clear(bit); });
}

sp_ban_state BanBits::state() const {
    sp_ban_state state{};
    for (std::uint32_t level = 0; level < levels_.size(); level++)
        if (levels_[level] != 0) state.levels |= 1u << level;
    return state;
}

void BanBits::note_written() {
    for (const std::uint32_t chunk : changed_) is_changed_[chunk] = false;
    changed_.clear();
}

} // namespace sallyport

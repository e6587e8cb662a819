// SPDX-License-Identifier: Apache-2.0
#include "bans/ban_gate.h"

#include "bans/ban_bits.h"

#include <bit>

namespace sallyport {
namespace {

std::uint64_t word_of(const BanGate& gate, std::size_t at) {
    constexpr std::size_t kWords = SP_CHUNK_BITS / 64;
    return at / kWords < gate.chunks.size() ? gate.chunks[at / kWords].words[at % kWords] : 0;
}

bool is_set(const BanGate& gate, std::uint32_t bit) {
    return (word_of(gate, bit / 64) >> (bit % 64) & 1) != 0;
}

} // namespace

BanGateCheck::BanGateCheck(const BanGate& gate) : gate_(gate), explained_(SP_V6_BITS) {}

bool BanGateCheck::has_level_of(const Prefix& prefix) const {
    return (gate_.levels >> ban_level_of(prefix) & 1) != 0;
}

std::size_t BanGateCheck::unset_bits_of(const Prefix& prefix) const {
    std::size_t unset = 0;
    each_ban_bit(prefix, [&](std::uint32_t bit) { unset += is_set(gate_, bit) ? 0 : 1; });
    return unset;
}

void BanGateCheck::explain(const Prefix& prefix) {
    levels_ |= 1u << ban_level_of(prefix);
    each_ban_bit(prefix, [&](std::uint32_t bit) { explained_[bit] = true; });
}

std::size_t BanGateCheck::idle_bits() const {
    std::size_t idle = 0;
    for (std::uint32_t word = 0; word < SP_V6_BITS / 64; word++) {
        for (std::uint64_t left = word_of(gate_, word); left != 0; left &= left - 1) {
            const auto bit = word * 64 + static_cast<std::uint32_t>(std::countr_zero(left));
            idle += explained_[bit] ? 0 : 1;
        }
    }
    return idle;
}

} // namespace sallyport

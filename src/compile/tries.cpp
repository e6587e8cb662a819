// SPDX-License-Identifier: Apache-2.0
// One more sweep over the sorted networks, now that their classes are final.
#include "compile/tries.h"

#include <vector>

namespace sallyport {

namespace {

void set_bit(std::vector<sp_bits>& bits, std::uint32_t bit) {
    bits[bit / SP_CHUNK_BITS].words[bit % SP_CHUNK_BITS / 64] |= 1ull << (bit % 64);
}

// Calls use(network, class) for each network that says something new.
template <typename Base, typename Use>
void each_edge(const std::vector<Network<Base>>& networks, std::uint32_t outermost,
               std::span<const std::uint32_t> merged, Use use) {
    struct Open {
        Base last;
        std::uint32_t address_class;
    };
    std::vector<Open> open;
    for (const Network<Base>& network : networks) {
        while (!open.empty() && open.back().last < network.base) open.pop_back();
        const std::uint32_t around = open.empty() ? outermost : open.back().address_class;
        const std::uint32_t within = merged[network.address_class];
        open.push_back({last_of(network), within});
        if (within != around) use(network, within);
    }
}

sp_v4_key v4_key(const Network<std::uint32_t>& network) {
    sp_v4_key key{.prefix_len = network.length, .addr = {}};
    for (unsigned i = 0; i < 4; ++i) key.addr[i] = static_cast<__u8>(network.base >> (24 - 8 * i));
    return key;
}

sp_v6_key v6_key(const Network<Bits128>& network) {
    sp_v6_key key{.prefix_len = network.length, .addr = {}};
    for (unsigned i = 0; i < 8; ++i) {
        key.addr[i] = static_cast<__u8>(network.base.high >> (56 - 8 * i));
        key.addr[8 + i] = static_cast<__u8>(network.base.low >> (56 - 8 * i));
    }
    return key;
}

void mark_v4(std::vector<sp_bits>& bits, const Network<std::uint32_t>& network) {
    const std::uint32_t first = network.base >> 8;
    const std::uint32_t last = last_of(network) >> 8;
    for (std::uint32_t bit = first; bit <= last;) {
        if (bit % 64 == 0 && last - bit >= 63) {
            bits[bit / SP_CHUNK_BITS].words[bit % SP_CHUNK_BITS / 64] = ~0ull;
            bit += 64;
        } else {
            set_bit(bits, bit++);
        }
    }
}

// Sets the network's bits and says which level they are of.
std::uint32_t mark_v6(std::vector<sp_bits>& bits, const Network<Bits128>& network) {
    const std::uint64_t first48 = network.base.high >> 16;
    if (network.length >= 48) {
        set_bit(bits, sp_v6_bit(first48, SP_V6_LEVEL_48));
        return SP_V6_LEVEL_48;
    }
    if (network.length >= 32) {
        set_bit(bits, sp_v6_bit(first48 >> 16 << 16, SP_V6_LEVEL_32));
        return SP_V6_LEVEL_32;
    }
    const std::uint64_t last = last_of(network).high >> 48;
    for (std::uint64_t first16 = network.base.high >> 48; first16 <= last; ++first16)
        set_bit(bits, sp_v6_bit(first16 << 32, SP_V6_LEVEL_16));
    return SP_V6_LEVEL_16;
}

} // namespace

void write_tries(const AddressClasses& addresses, std::span<const std::uint32_t> merged,
                 MapImage& image) {
    image.v4_bits.assign(SP_V4_BITS / SP_CHUNK_BITS, {});
    image.v6_bits.assign(SP_V6_BITS / SP_CHUNK_BITS, {});
    const std::uint32_t v4_default = merged[addresses.v4_default];
    const std::uint32_t v6_default = merged[addresses.v6_default];
    image.slot.v4_default = static_cast<__u16>(v4_default);
    image.slot.v6_default = static_cast<__u16>(v6_default);
    each_edge(addresses.v4, v4_default, merged, [&](const auto& network, std::uint32_t number) {
        image.v4_trie.emplace_back(v4_key(network), number);
        mark_v4(image.v4_bits, network);
    });
    each_edge(addresses.v6, v6_default, merged, [&](const auto& network, std::uint32_t number) {
        image.v6_trie.emplace_back(v6_key(network), number);
        image.slot.v6_levels |= mark_v6(image.v6_bits, network);
    });
}

} // namespace sallyport

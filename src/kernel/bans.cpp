// SPDX-License-Identifier: Apache-2.0
#include "kernel/bans.h"

#include "kernel/map.h"
#include "kernel/table_reader.h"
#include "sallyport/abi/types.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <set>
#include <utility>

namespace sallyport {
namespace {

template <typename Key> Key key_of(const Prefix& prefix) {
    Key key{};
    key.prefix_len = prefix.family_length();
    std::memcpy(key.addr, prefix.base.bytes.data() + (16 - sizeof key.addr), sizeof key.addr);
    return key;
}

Prefix prefix_of_key(const sp_v4_key& key) {
    Address base = Address::v4(0);
    std::memcpy(base.bytes.data() + 12, key.addr, 4);
    return prefix_of(base, 96 + key.prefix_len);
}

Prefix prefix_of_key(const sp_v6_key& key) {
    Address base;
    std::memcpy(base.bytes.data(), key.addr, 16);
    return Prefix{.base = base, .length = static_cast<std::uint8_t>(key.prefix_len)};
}

template <typename Key> bool is_of_family(const Prefix& prefix) {
    return prefix.is_v4() == (sizeof(Key) == sizeof(sp_v4_key));
}

template <typename Key> Status put(int trie, const std::vector<BanEntry>& changes) {
    std::vector<Key> keys;
    std::vector<sp_ban> values;
    for (const BanEntry& change : changes) {
        if (!change.until_ns || !is_of_family<Key>(change.prefix)) continue;
        keys.push_back(key_of<Key>(change.prefix));
        values.push_back({.until_ns = *change.until_ns});
    }
    return update_batch(trie, keys.data(), values.data(), static_cast<std::uint32_t>(keys.size()));
}

template <typename Key> Status take_away(int trie, const std::vector<BanEntry>& changes) {
    for (const BanEntry& change : changes)
        if (!change.until_ns && is_of_family<Key>(change.prefix))
            SP_TRY(map_delete(trie, key_of<Key>(change.prefix)));
    return {};
}

Status put_all(const Maps& maps, const std::vector<BanEntry>& changes) {
    SP_TRY(put<sp_v4_key>(maps.bans4, changes));
    return put<sp_v6_key>(maps.bans6, changes);
}

Status write_bits(const Maps& maps, const BanBits& bits, const std::vector<std::uint32_t>& which,
                  std::size_t active) {
    std::vector<sp_bits> chunks;
    chunks.reserve(which.size());
    for (const std::uint32_t index : which) chunks.push_back(bits.chunks()[index]);
    SP_TRY(update_batch(maps.ban_bits, which.data(), chunks.data(),
                        static_cast<std::uint32_t>(which.size())));
    const std::uint32_t zero = 0;
    sp_ban_state state = bits.state();
    state.active = static_cast<std::uint32_t>(active);
    return map_update(maps.ban_state, zero, state);
}

void count_in(const std::vector<BanEntry>& changes, BanBits& bits) {
    for (const BanEntry& change : changes) {
        if (!change.is_new) continue;
        if (change.until_ns)
            bits.add(change.prefix);
        else
            bits.remove(change.prefix);
    }
}

template <typename Key> void read_trie(int trie, std::vector<BanEntry>& found) {
    for (const Key& key : keys_of<Key>(trie)) {
        const Result<std::optional<sp_ban>> ban = map_lookup<sp_ban>(trie, key);
        if (ban && *ban)
            found.push_back({.prefix = prefix_of_key(key),
                             .until_ns = (*ban)->until_ns,
                             .is_mask = (*ban)->until_ns == SP_BAN_NEVER});
    }
}

// The keys that no change names.
template <typename Key> Status drop_others(int trie, const std::vector<Prefix>& wanted) {
    for (const Key& key : keys_of<Key>(trie))
        if (!std::ranges::binary_search(wanted, prefix_of_key(key))) SP_TRY(map_delete(trie, key));
    return {};
}

} // namespace

Status write_bans(const Maps& maps, const std::vector<BanEntry>& changes, BanBits& bits,
                  std::size_t active) {
    count_in(changes, bits);
    Status written = put_all(maps, changes);
    if (written) written = write_bits(maps, bits, bits.changed(), active);
    if (written) bits.note_written();
    if (written) written = take_away<sp_v4_key>(maps.bans4, changes);
    if (written) written = take_away<sp_v6_key>(maps.bans6, changes);
    return std::move(written).context("writing bans");
}

Status take_over_bans(const Maps& maps, const std::vector<BanEntry>& changes, BanBits& bits,
                      std::size_t active) {
    count_in(changes, bits);
    std::vector<std::uint32_t> all(bits.chunks().size());
    std::iota(all.begin(), all.end(), 0u);
    std::vector<Prefix> wanted;
    for (const BanEntry& change : changes)
        if (change.until_ns) wanted.push_back(change.prefix);
    std::ranges::sort(wanted);
    Status written = put_all(maps, changes);
    // What is left of before goes only now that its bits may be gone.
    if (written) written = write_bits(maps, bits, all, active);
    if (written) bits.note_written();
    if (written) written = drop_others<sp_v4_key>(maps.bans4, wanted);
    if (written) written = drop_others<sp_v6_key>(maps.bans6, wanted);
    return std::move(written).context("taking over the bans that stand");
}

Result<std::vector<BanEntry>> read_ban_entries(const Maps& maps) {
    std::vector<BanEntry> found;
    read_trie<sp_v4_key>(maps.bans4, found);
    read_trie<sp_v6_key>(maps.bans6, found);
    return found;
}

Result<std::vector<BanEntry>> read_bans(const Maps& maps) {
    std::vector<BanEntry> found = SP_TRY(read_ban_entries(maps));
    std::erase_if(found, [](const BanEntry& entry) { return entry.is_mask; });
    return found;
}

Result<BanGate> read_ban_gate(const Maps& maps) {
    BanGate gate;
    const std::uint32_t zero = 0;
    gate.levels =
        SP_TRY(map_lookup<sp_ban_state>(maps.ban_state, zero)).value_or(sp_ban_state{}).levels;
    const MapShape shape = SP_TRY(shape_of(maps.ban_bits));
    if (shape.key_size != sizeof zero || shape.value_size != sizeof(sp_bits))
        return fail(ErrorKind::not_supported, "sp_ban_bits is no map of this version",
                    "sallyport down, then start it: sallyport run");
    gate.chunks.resize(shape.max_entries);
    SP_TRY(each_entry(maps.ban_bits, shape,
                      [&](const std::byte* keys, const std::byte* values, std::size_t count) {
                          for (std::size_t i = 0; i < count; i++) {
                              std::uint32_t at = 0;
                              std::memcpy(&at, keys + i * sizeof at, sizeof at);
                              if (at < gate.chunks.size())
                                  std::memcpy(&gate.chunks[at], values + i * sizeof(sp_bits),
                                              sizeof(sp_bits));
                          }
                      })
               .context("reading sp_ban_bits"));
    return gate;
}

Result<std::uint64_t> count_bans(const Maps& maps) {
    if (maps.ban_state < 0) return std::uint64_t{0};
    const std::uint32_t zero = 0;
    return SP_TRY(map_lookup<sp_ban_state>(maps.ban_state, zero)).value_or(sp_ban_state{}).active;
}

Result<StandingBans> open_standing_bans(const std::string& layout_dir) {
    StandingBans standing;
    for (const auto& [fd, name] :
         {std::pair{&Maps::ban_state, "sp_ban_state"}, std::pair{&Maps::ban_bits, "sp_ban_bits"},
          std::pair{&Maps::bans4, "sp_bans4"}, std::pair{&Maps::bans6, "sp_bans6"}}) {
        standing.held.push_back(SP_TRY(open_pinned(layout_dir + "/maps/" + name)));
        standing.maps.*fd = standing.held.back().get();
    }
    return standing;
}

} // namespace sallyport

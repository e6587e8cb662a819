// SPDX-License-Identifier: Apache-2.0
#pragma once
// System calls on maps, as Results. Keys and values are the structs of abi/.
#include "base/fd.h"
#include "base/result.h"

#include <bpf/bpf.h>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sallyport {

// What a new inner map must be like; `flags` has to equal the template's.
struct InnerMap {
    bpf_map_type type = BPF_MAP_TYPE_ARRAY;
    const char* name = "";
    std::uint32_t key_size = 4;
    std::uint32_t value_size = 0;
    std::uint32_t max_entries = 1;
    std::uint32_t flags = 0;
};
[[nodiscard]] Result<Fd> create_map(const InnerMap& map);

// A pinned map; not_found when there is no such file.
[[nodiscard]] Result<Fd> open_pinned(const std::string& path);

[[nodiscard]] Status update_bytes(int map, const void* key, const void* value);
// nullopt when there is no such key.
[[nodiscard]] Result<bool> lookup_bytes(int map, const void* key, void* value);
// Deleting what is not there is no error.
[[nodiscard]] Status delete_bytes(int map, const void* key);
// `count` keys and values laid end to end, in one call where the map type has it (5.6).
[[nodiscard]] Status update_batch(int map, const void* keys, const void* values,
                                  std::uint32_t count);

template <typename K, typename V>
[[nodiscard]] Status map_update(int map, const K& key, const V& value) {
    return update_bytes(map, &key, &value);
}

template <typename V, typename K>
[[nodiscard]] Result<std::optional<V>> map_lookup(int map, const K& key) {
    V value{};
    const bool found = SP_TRY(lookup_bytes(map, &key, &value));
    if (!found) return std::optional<V>{};
    return std::optional<V>{value};
}

// All keys, as far as the map stands still meanwhile; what is added late may be missing.
template <typename K> [[nodiscard]] std::vector<K> keys_of(int map) {
    std::vector<K> keys;
    K key{};
    for (const K* previous = nullptr; bpf_map_get_next_key(map, previous, &key) == 0;
         previous = &key)
        keys.push_back(key);
    return keys;
}

template <typename K> [[nodiscard]] Status map_delete(int map, const K& key) {
    return delete_bytes(map, &key);
}

// Sum over all CPUs of a per-CPU array's values, each of `words` 64-bit counters.
[[nodiscard]] Result<std::vector<std::uint64_t>> read_percpu(int map, std::uint32_t key,
                                                             std::size_t words);

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
// Each entry of a map is read once, by batches and one by one.
#include "kernel/map.h"
#include "kernel/table_reader.h"
#include "sallyport/abi/types.h"

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <map>
#include <unistd.h>

using namespace sallyport;

namespace {

template <typename K>
std::map<std::uint64_t, std::uint32_t> read_back(int map, std::size_t* times) {
    std::map<std::uint64_t, std::uint32_t> found;
    const Result<MapShape> shape = shape_of(map);
    REQUIRE(shape);
    const Status read = each_entry(
        map, *shape, [&](const std::byte* keys, const std::byte* values, std::size_t count) {
            for (std::size_t i = 0; i < count; i++) {
                std::uint64_t key = 0;
                std::uint32_t value = 0;
                std::memcpy(&key, keys + i * sizeof(K), sizeof(K));
                std::memcpy(&value, values + i * 4, 4);
                found[key] = value;
                ++*times;
            }
        });
    REQUIRE(read);
    return found;
}

template <typename K>
void check_kind(InnerMap shape, std::uint32_t count, K (*key_of)(std::uint32_t)) {
    shape.key_size = sizeof(K);
    shape.value_size = 4;
    shape.max_entries = count;
    const Result<Fd> map = create_map(shape);
    REQUIRE(map);
    std::size_t times = 0;
    if (shape.type != BPF_MAP_TYPE_ARRAY) CHECK(read_back<K>(map->get(), &times).empty());
    times = 0;
    std::vector<K> keys;
    std::vector<std::uint32_t> values;
    for (std::uint32_t i = 0; i < count; i++) {
        keys.push_back(key_of(i));
        values.push_back(i * 3 + 1);
    }
    REQUIRE(update_batch(map->get(), keys.data(), values.data(), count));
    const auto found = read_back<K>(map->get(), &times);
    CHECK(times == count);
    REQUIRE(found.size() == count);
    for (std::uint32_t i = 0; i < count; i++) {
        std::uint64_t key = 0;
        std::memcpy(&key, &keys[i], sizeof(K));
        if (found.at(key) != values[i]) FAIL("entry " << i << " has another value");
    }
}

} // namespace

TEST_CASE("arrays, tries and hashes are read whole, however many batches that takes") {
    if (geteuid() != 0) SKIP("only root may make maps");
    for (const std::uint32_t count : {1u, 4095u, 4096u, 4097u, 9000u}) {
        check_kind<std::uint32_t>({.type = BPF_MAP_TYPE_ARRAY, .name = "sp_test_array"}, count,
                                  [](std::uint32_t i) { return i; });
        check_kind<std::uint32_t>({.type = BPF_MAP_TYPE_HASH, .name = "sp_test_hash"}, count,
                                  [](std::uint32_t i) { return i * 7919; });
        check_kind<sp_v4_key>(
            {.type = BPF_MAP_TYPE_LPM_TRIE, .name = "sp_test_trie", .flags = BPF_F_NO_PREALLOC},
            count, [](std::uint32_t i) {
                sp_v4_key key{};
                key.prefix_len = 24;
                key.addr[0] = 10;
                key.addr[1] = static_cast<__u8>(i >> 8);
                key.addr[2] = static_cast<__u8>(i);
                return key;
            });
    }
}

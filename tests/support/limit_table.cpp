// SPDX-License-Identifier: Apache-2.0
#include "support/limit_table.h"

#include "base/result.h"

#include <array>
#include <bpf/bpf.h>
#include <cstddef>
#include <numeric>

namespace sallyport::test {
namespace {

// Value of sp_buckets (bpf/lib/bucket.h).
struct BucketSet {
    std::uint32_t lock = 0;
    std::uint32_t spare = 0;
    std::uint64_t due[SP_BUCKET_WAYS]{};
    sp_bucket_key keys[SP_BUCKET_WAYS]{};
    sp_window windows[SP_BUCKET_WAYS]{};
};
static_assert(sizeof(BucketSet) ==
              8 + SP_BUCKET_WAYS * (8 + sizeof(sp_bucket_key) + sizeof(sp_window)));

template <typename T> void write_all(int map, const std::vector<T>& values) {
    std::vector<std::uint32_t> keys(values.size());
    std::iota(keys.begin(), keys.end(), 0u);
    auto count = static_cast<std::uint32_t>(keys.size());
    SP_CHECK(bpf_map_update_batch(map, keys.data(), values.data(), &count, nullptr) == 0);
}

template <typename T> std::vector<T> read_all(int map, std::uint32_t size) {
    std::vector<std::uint32_t> keys(size);
    std::vector<T> values(size);
    std::uint32_t count = size, next = 0;
    const int error =
        bpf_map_lookup_batch(map, nullptr, &next, keys.data(), values.data(), &count, nullptr);
    SP_CHECK(error == 0 || error == -ENOENT);
    SP_CHECK(count == size);
    return values;
}

// Of listeners too (bpf/lib/maps_cookies.h).
void forget_offers(int map) {
    std::array<std::byte, 24> key{};
    while (bpf_map_get_next_key(map, nullptr, key.data()) == 0)
        SP_CHECK(bpf_map_delete_elem(map, key.data()) == 0);
}

} // namespace

void forget_limits(const Instance& instance) {
    write_all(instance.maps().buckets, std::vector<BucketSet>(SP_BUCKET_SETS));
    write_all(instance.maps().limit_states, std::vector<sp_limit_state>(SP_COUNTERS_MAX));
    write_all(instance.maps().paid, std::vector<std::array<std::uint64_t, 8>>(8192));
    forget_offers(instance.maps().offers);
}

std::vector<sp_bucket_key> read_buckets(const Instance& instance) {
    std::vector<sp_bucket_key> keys;
    for (const BucketSet& set : read_all<BucketSet>(instance.maps().buckets, SP_BUCKET_SETS))
        for (int i = 0; i < SP_BUCKET_WAYS; ++i)
            if (set.due[i] != 0) keys.push_back(set.keys[i]);
    return keys;
}

void age_limits(const Instance& instance, std::uint64_t ns) {
    const auto age = [ns](auto& time) { time = time > ns ? time - ns : 0; };
    auto sets = read_all<BucketSet>(instance.maps().buckets, SP_BUCKET_SETS);
    for (BucketSet& set : sets)
        for (std::uint64_t& due : set.due) age(due);
    write_all(instance.maps().buckets, sets);
    auto states = read_all<sp_limit_state>(instance.maps().limit_states, SP_COUNTERS_MAX);
    for (sp_limit_state& state : states) {
        age(state.total);
        age(state.proven);
        age(state.fresh);
    }
    write_all(instance.maps().limit_states, states);
}

} // namespace sallyport::test

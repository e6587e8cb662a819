// SPDX-License-Identifier: Apache-2.0
#include "support/counters.h"

#include "base/result.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cerrno>

namespace sallyport::test {
namespace {

template <typename Value> std::vector<Value> read_cpus(int map, std::uint32_t key) {
    std::vector<Value> values(static_cast<std::size_t>(libbpf_num_possible_cpus()));
    SP_CHECK(bpf_map_lookup_elem(map, &key, values.data()) == 0);
    return values;
}

} // namespace

Counts read_counts(const Maps& maps) {
    Counts sums{};
    std::size_t cpus = static_cast<std::size_t>(libbpf_num_possible_cpus());
    std::vector<std::uint64_t> values(SP_COUNTS * cpus);
    std::array<std::uint32_t, SP_COUNTS> keys{};
    std::uint32_t count = SP_COUNTS;
    std::uint32_t next = 0;
    // All in one call; ENOENT says that this was the end of the map.
    int result = bpf_map_lookup_batch(maps.counts, nullptr, &next, keys.data(), values.data(),
                                      &count, nullptr);
    SP_CHECK((result == 0 || errno == ENOENT) && count == SP_COUNTS);
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t cpu = 0; cpu < cpus; ++cpu) sums.at(keys.at(i)) += values[i * cpus + cpu];
    }
    return sums;
}

sp_nic_count read_nic_count(const Maps& maps, std::uint32_t counter) {
    sp_nic_count sum{};
    for (const sp_nic_count& value : read_cpus<sp_nic_count>(maps.nic_counts, counter)) {
        sum.admitted += value.admitted;
        sum.dropped += value.dropped;
        sum.admitted_bytes += value.admitted_bytes;
        sum.dropped_bytes += value.dropped_bytes;
    }
    return sum;
}

sp_rule_count read_rule_count(const Maps& maps, std::uint32_t counter) {
    sp_rule_count sum{};
    for (const sp_rule_count& value : read_cpus<sp_rule_count>(maps.rule_counts, counter)) {
        sum.admitted += value.admitted;
        sum.limited += value.limited;
        sum.bytes += value.bytes;
        sum.denied += value.denied;
    }
    return sum;
}

void clear_rule_count(const Maps& maps, std::uint32_t counter) {
    std::vector<sp_rule_count> zero(static_cast<std::size_t>(libbpf_num_possible_cpus()));
    SP_CHECK(bpf_map_update_elem(maps.rule_counts, &counter, zero.data(), BPF_ANY) == 0);
}

Counts rise(const Counts& before, const Counts& after) {
    Counts out{};
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = after[i] - before[i];
    return out;
}

sp_nic_count rise(const sp_nic_count& before, const sp_nic_count& after) {
    return {.admitted = after.admitted - before.admitted,
            .dropped = after.dropped - before.dropped,
            .admitted_bytes = after.admitted_bytes - before.admitted_bytes,
            .dropped_bytes = after.dropped_bytes - before.dropped_bytes};
}

sp_rule_count rise(const sp_rule_count& before, const sp_rule_count& after) {
    return {.admitted = after.admitted - before.admitted,
            .limited = after.limited - before.limited,
            .bytes = after.bytes - before.bytes,
            .denied = after.denied - before.denied};
}

} // namespace sallyport::test

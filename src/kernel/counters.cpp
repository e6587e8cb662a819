// SPDX-License-Identifier: Apache-2.0
#include "kernel/counters.h"

#include "kernel/map.h"

#include <bpf/libbpf.h>

namespace sallyport {

Result<Counters> read_counters(const Maps& maps) {
    Counters counters;
    for (std::uint32_t i = 0; i < SP_COUNTS; i++)
        counters.counts[i] = SP_TRY(read_percpu(maps.counts, i, 1))[0];
    return counters;
}

Result<sp_nic_count> read_nic_count(const Maps& maps, std::uint32_t index) {
    const std::vector<std::uint64_t> sums = SP_TRY(read_percpu(maps.nic_counts, index, 4));
    return sp_nic_count{.admitted = sums[0],
                        .dropped = sums[1],
                        .admitted_bytes = sums[2],
                        .dropped_bytes = sums[3]};
}

Status clear_nic_count(const Maps& maps, std::uint32_t index) {
    const int cpus = libbpf_num_possible_cpus();
    if (cpus < 0) return fail_errno(-cpus, "counting CPUs");
    const std::vector<sp_nic_count> zero(static_cast<std::size_t>(cpus));
    for (const std::uint32_t place : {index, index + SP_NICS_MAX})
        SP_TRY(update_bytes(maps.nic_counts, &place, zero.data()));
    return {};
}

Result<sp_rule_count> read_rule_count(const Maps& maps, std::uint32_t counter) {
    const std::vector<std::uint64_t> sums = SP_TRY(read_percpu(maps.rule_counts, counter, 4));
    return sp_rule_count{
        .admitted = sums[0], .limited = sums[1], .bytes = sums[2], .denied = sums[3]};
}

} // namespace sallyport

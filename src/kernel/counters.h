// SPDX-License-Identifier: Apache-2.0
#pragma once
// Counters as the programs keep them, summed over the CPUs.
#include "base/result.h"
#include "kernel/maps.h"
#include "sallyport/abi/event.h"
#include "sallyport/abi/reason.h"
#include "sallyport/abi/types.h"

#include <array>
#include <cstdint>

namespace sallyport {

struct Counters {
    std::array<std::uint64_t, SP_COUNTS> counts{}; // by SP_COUNT_*
    [[nodiscard]] std::uint64_t drops(std::uint32_t reason) const {
        return counts[SP_COUNT_DROPS + reason];
    }
    [[nodiscard]] std::uint64_t would_drops(std::uint32_t reason) const {
        return counts[SP_COUNT_WOULD_DROPS + reason];
    }
};

[[nodiscard]] Result<Counters> read_counters(const Maps& maps);
[[nodiscard]] Result<sp_nic_count> read_nic_count(const Maps& maps, std::uint32_t index);
// Both ways' counts of a number that another interface had.
[[nodiscard]] Status clear_nic_count(const Maps& maps, std::uint32_t index);
[[nodiscard]] Result<sp_rule_count> read_rule_count(const Maps& maps, std::uint32_t counter);

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
#pragma once
// The programs' per-CPU counters, summed, and what rose between two readings.
#include "kernel/maps.h"
#include "sallyport/abi/types.h"

#include <array>
#include <cstdint>
#include <vector>

namespace sallyport::test {

using Counts = std::array<std::uint64_t, SP_COUNTS>;

[[nodiscard]] Counts read_counts(const Maps& maps);
[[nodiscard]] sp_nic_count read_nic_count(const Maps& maps, std::uint32_t counter);
[[nodiscard]] sp_rule_count read_rule_count(const Maps& maps, std::uint32_t counter);
void clear_rule_count(const Maps& maps, std::uint32_t counter);

[[nodiscard]] Counts rise(const Counts& before, const Counts& after);
[[nodiscard]] sp_nic_count rise(const sp_nic_count& before, const sp_nic_count& after);
[[nodiscard]] sp_rule_count rise(const sp_rule_count& before, const sp_rule_count& after);

} // namespace sallyport::test

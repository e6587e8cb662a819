// SPDX-License-Identifier: Apache-2.0
#pragma once
// The flow table from outside: sized at load, swept now and then, seeded at
// start. The programs do without all of it when nobody is there.
#include "base/result.h"
#include "kernel/maps.h"
#include "kernel/programs.h"
#include "sallyport/abi/types.h"

#include <cstdint>

namespace sallyport {

// Sets for `max` entries at three quarters full.
[[nodiscard]] std::uint32_t flow_sets_for(std::uint32_t max);
// Enters one flow; false: no room.
[[nodiscard]] Result<bool> seed_flow(const Programs& programs, const sp_flow& flow);
// Frees expired flows in SP_SWEEP_SETS sets from `first` on.
[[nodiscard]] Status sweep_flows(const Programs& programs, std::uint32_t first);
[[nodiscard]] Result<std::uint64_t> flow_count(const Maps& maps);

} // namespace sallyport

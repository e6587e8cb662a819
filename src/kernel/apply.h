// SPDX-License-Identifier: Apache-2.0
#pragma once
// A compiled policy into the kernel: a free slot is filled with new inner maps,
// then one store on the control word moves every hook to it.
#include "base/result.h"
#include "compile/map_image.h"
#include "kernel/maps.h"

#include <cstdint>

namespace sallyport {

// A slot that the control word does not point at, 1..SP_SLOTS-1.
[[nodiscard]] Result<std::uint32_t> free_slot(const Maps& maps);
// Writes every map of the slot. A slot in use is refused. On failure the slot
// is left empty, which denies all.
[[nodiscard]] Status fill_slot(const Maps& maps, std::uint32_t slot, const MapImage& image);
// Which interfaces that slot's policy guards, for what holds them shut meanwhile.
[[nodiscard]] Status fill_globs(const Maps& maps, std::uint32_t slot,
                                const std::vector<std::string>& globs);
// Before the first hook is there, and before the first one goes: nothing is judged
// until `activate`, so that the hooks, which come and go one by one, work all
// together or not at all, even when we are killed between two of them.
[[nodiscard]] Status stand_aside(const Maps& maps);
[[nodiscard]] bool is_aside(const sp_slot& slot);
// The one store; no trial.
[[nodiscard]] Status activate(const Maps& maps, std::uint32_t slot);
[[nodiscard]] Result<std::uint64_t> control_word(const Maps& maps);
// What a slot says of itself; all zero when never filled.
[[nodiscard]] Result<sp_slot> read_slot(const Maps& maps, std::uint32_t slot);

} // namespace sallyport

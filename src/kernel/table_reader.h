// SPDX-License-Identifier: Apache-2.0
#pragma once
// Maps read back, entry by entry: the other way of apply.cpp. Nothing is kept of them, so
// that a million entries take no more room than a batch.
#include "base/fd.h"
#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace sallyport {

struct MapShape {
    std::uint32_t id = 0;
    std::uint32_t type = 0; // BPF_MAP_TYPE_*
    std::uint32_t key_size = 0;
    std::uint32_t value_size = 0;
    std::uint32_t max_entries = 0;
};
[[nodiscard]] Result<MapShape> shape_of(int map);

// The table of a slot in an array of maps; not_found when there is none.
[[nodiscard]] Result<Fd> open_inner(int outer, std::uint32_t slot);

// `count` keys and values, each end to end; they are gone when the call returns.
using TakeEntries =
    std::function<void(const std::byte* keys, const std::byte* values, std::size_t count)>;
// Every entry, in batches where the kernel has them for this type. What changes meanwhile
// may be missing or come twice.
[[nodiscard]] Status each_entry(int map, const MapShape& shape, const TakeEntries& take);

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
#pragma once
// XDP programs that are never attached serve as functions: they share the hash and the
// lock of a table with those that are.
#include "base/result.h"

#include <cstdint>

namespace sallyport {

// Runs one with `data` as its packet. Returns what the program returned.
[[nodiscard]] Result<std::uint32_t> call_table(int program, const void* data, std::uint32_t size);

} // namespace sallyport

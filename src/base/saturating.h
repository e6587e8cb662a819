// SPDX-License-Identifier: Apache-2.0
#pragma once
// Sums of numbers that somebody else wrote: the highest there is instead of a small one.
#include <cstdint>
#include <limits>

namespace sallyport {

[[nodiscard]] constexpr std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
    return a > std::numeric_limits<std::uint64_t>::max() - b
               ? std::numeric_limits<std::uint64_t>::max()
               : a + b;
}

} // namespace sallyport

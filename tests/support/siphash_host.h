// SPDX-License-Identifier: Apache-2.0
#pragma once
// The programs' SipHash, compiled natively.
#include <array>
#include <cstdint>

namespace sallyport::test {

[[nodiscard]] std::uint64_t program_siphash(const std::array<std::uint64_t, 6>& words,
                                            std::uint64_t key0, std::uint64_t key1);

} // namespace sallyport::test

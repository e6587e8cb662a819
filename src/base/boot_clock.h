// SPDX-License-Identifier: Apache-2.0
#pragma once
// The clock by which the programs in the kernel judge: since the boot, suspended time included.
#include <cstdint>

namespace sallyport {

// CLOCK_BOOTTIME as the kernel has it: a time namespace, which may show its processes another
// one, is not heeded, for programs are in none.
[[nodiscard]] std::uint64_t kernel_boot_ns();

} // namespace sallyport

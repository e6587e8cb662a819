// SPDX-License-Identifier: Apache-2.0
#pragma once
// The memory of limits in the kernel, from a test's side.
#include "support/instance.h"

#include <cstdint>
#include <vector>

namespace sallyport::test {

// Nobody is remembered, and no allowance was used.
void forget_limits(const Instance& instance);
// Every entry that is not free, as it stands.
[[nodiscard]] std::vector<sp_bucket_key> read_buckets(const Instance& instance);
// Everybody's time, and every allowance's, is that much nearer.
void age_limits(const Instance& instance, std::uint64_t ns);

} // namespace sallyport::test

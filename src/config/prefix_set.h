// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/ip.h"

#include <vector>

namespace sallyport::config {

// Prefixes that cover what `networks` do and `except` do not; each family by
// itself, as Prefix::covers has it. Sorted, none within another.
[[nodiscard]] std::vector<Prefix> difference(const std::vector<Prefix>& networks,
                                             const std::vector<Prefix>& except);

} // namespace sallyport::config

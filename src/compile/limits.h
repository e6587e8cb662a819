// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "policy/rule.h"
#include "sallyport/abi/limit.h"

namespace sallyport {

// What the programs count by. Intervals are rounded up: never more than was asked for.
[[nodiscard]] sp_limit compile_limit(const Limit& limit);

} // namespace sallyport

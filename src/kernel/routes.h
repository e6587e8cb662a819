// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where this host sends what is for everybody else.
#include "base/ip.h"
#include "base/result.h"

#include <vector>

namespace sallyport {

// The next hops of the default routes of both families, in every table, those of several paths
// too, in order; of the calling thread's network namespace. A route in two halves (/1) counts.
[[nodiscard]] Result<std::vector<Address>> default_gateways();

} // namespace sallyport

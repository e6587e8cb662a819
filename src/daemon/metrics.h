// SPDX-License-Identifier: Apache-2.0
#pragma once
// What `status` shows as metrics (docs/metrics.md). No label carries an address, a port or a
// process: what can be told apart is bounded by the policy and the machine, not by who knocks.
#include "daemon/status.h"
#include "metrics/exposition.h"

#include <vector>

namespace sallyport {

[[nodiscard]] std::vector<MetricFamily> metrics_of(const StatusView& status);

} // namespace sallyport

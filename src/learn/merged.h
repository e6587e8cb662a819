// SPDX-License-Identifier: Apache-2.0
#pragma once
// Rules that differ in their port alone are one rule with a list of ports.
#include "learn/findings.h"

#include <vector>

namespace sallyport::learn {

// In the order of the first of each. What is named after different things stays apart, and so
// does what has no ports (ICMP types too).
[[nodiscard]] std::vector<LearnedRule> merged(std::vector<LearnedRule> rules);

} // namespace sallyport::learn

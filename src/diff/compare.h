// SPDX-License-Identifier: Apache-2.0
#pragma once
// Two policies to what a change from one to the other means.
#include "diff/difference.h"
#include "diff/sets.h"
#include "diff/space.h"

namespace sallyport::diff {

// `space` is of the two policies.
[[nodiscard]] Difference compare(const Space& space);

// Rules by their names, then those that are left by what they say. What is felt is left open.
[[nodiscard]] std::vector<RuleChange> compare_rules(const Space& space, Sets& sets);
[[nodiscard]] std::vector<SettingChange> compare_settings(const Space& space, Sets& sets);

} // namespace sallyport::diff

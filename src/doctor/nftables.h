// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "doctor/facts.h"

#include <string_view>

namespace sallyport::doctor {

// The base chains with policy drop that `nft -j list ruleset` tells of; nullopt: that is no
// such text.
[[nodiscard]] std::optional<std::vector<DroppingChain>> dropping_chains(std::string_view json);

} // namespace sallyport::doctor

// SPDX-License-Identifier: Apache-2.0
#pragma once
// The policy file as the daemon reads it.
#include "daemon/wall_news.h"

#include <optional>
#include <string>

namespace sallyport {

// The policy, with what is to be advised about it told; nothing after its errors have been told.
[[nodiscard]] std::optional<PolicySource> read_policy(const std::string& file);

} // namespace sallyport

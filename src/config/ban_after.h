// SPDX-License-Identifier: Apache-2.0
#pragma once
// What bans by itself: "off", or "50 in 10m for 1h".
#include "config/fields.h"
#include "policy/policy.h"

#include <optional>
#include <string_view>

namespace sallyport::config {

// nullopt: it does not, or it was an error.
[[nodiscard]] std::optional<BanAfter> read_ban_after(Fields& fields, std::string_view key);

} // namespace sallyport::config

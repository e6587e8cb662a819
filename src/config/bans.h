// SPDX-License-Identifier: Apache-2.0
#pragma once
// [bans]: who never is banned, whom files ban, how bans grow, and what bans by itself.
#include "config/fields.h"
#include "config/zones.h"
#include "policy/policy.h"

namespace sallyport::config {

[[nodiscard]] BanRules read_bans(Fields& root, Zones& zones);

} // namespace sallyport::config

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "config/fields.h"
#include "policy/rule.h"

#include <optional>

namespace sallyport::config {

// The keys limit, burst, limit-* and max-connections of an allow rule of ingress; nothing
// when it has none.
[[nodiscard]] std::optional<Limit> read_limit(Fields& rule, const Services& services);

} // namespace sallyport::config

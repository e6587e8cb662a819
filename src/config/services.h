// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "config/fields.h"
#include "config/parse.h"
#include "policy/policy.h"

#include <optional>

namespace sallyport::config {

enum class RuleKind : unsigned char { allow, deny };

// The keys proto, ports and types of a rule: what it allows or denies. No direction: it was
// found wrong.
[[nodiscard]] Services read_services(Fields& rule, RuleKind kind,
                                     std::optional<Direction> direction, const ParseWorld& world);

} // namespace sallyport::config

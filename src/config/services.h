// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "config/fields.h"
#include "config/parse.h"
#include "policy/policy.h"

namespace sallyport::config {

enum class RuleKind : unsigned char { allow, deny };

// The keys proto, ports and types of a rule: what it allows or denies.
[[nodiscard]] Services read_services(Fields& rule, RuleKind kind, const ParseWorld& world);

} // namespace sallyport::config

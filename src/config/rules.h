// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "config/fields.h"
#include "config/parse.h"
#include "config/zones.h"
#include "policy/policy.h"

#include <vector>

namespace sallyport::config {

// All [[ingress]], [[egress]] and [[deny]] of the document, in file order. Warns of
// rules that can never match or decide.
[[nodiscard]] std::vector<Rule> read_rules(Fields& root, Zones& zones, const ParseWorld& world);

} // namespace sallyport::config

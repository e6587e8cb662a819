// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "config/document.h"
#include "config/findings.h"

#include <string>
#include <string_view>
#include <vector>

namespace sallyport::config {

// A list of names or globs of interfaces. Errors for an empty list, for what can
// name no interface, and for loopback, which is never judged.
[[nodiscard]] std::vector<std::string> interface_globs(const Value& value, std::string_view key,
                                                       Findings& findings);

} // namespace sallyport::config

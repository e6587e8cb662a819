// SPDX-License-Identifier: Apache-2.0
#pragma once
// Limits in the words of a policy file.
#include "import/ruleset.h"

#include <string>

namespace sallyport::imported {

// Lines of a rule, of limits that count by the same prefixes. `counts6`: are there IPv6 sources?
[[nodiscard]] std::string limit_text(const std::vector<Often>& limits, bool counts6);
// What differs, for a comment.
[[nodiscard]] std::string limit_comment(const Often& often);

} // namespace sallyport::imported

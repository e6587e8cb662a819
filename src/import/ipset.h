// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "import/ruleset.h"

#include <string_view>

namespace sallyport::imported {

// The sets of addresses alone (hash:ip, hash:net, bitmap:ip, and list:set of these) of what
// `ipset save` printed. Those of other kinds are found, and not among them.
[[nodiscard]] Result<std::map<std::string, RangeSet>>
read_ipsets(std::string_view text, Family family, std::vector<Finding>& findings);

} // namespace sallyport::imported

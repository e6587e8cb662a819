// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "import/ruleset.h"

#include <set>
#include <string_view>

namespace sallyport::imported {

struct Tables {
    std::set<unsigned> ignore;            // lines that are passed over
    std::string tag;                      // before what is said of a line: "IPv6 ", or nothing
    std::map<std::string, RangeSet> sets; // ipset's, of the family
};

// What iptables-save prints, or `iptables -S`, or iptables-restore reads; whole, or an error.
[[nodiscard]] Result<Ruleset> read_iptables(std::string_view text, Family family,
                                            const Tables& how);

} // namespace sallyport::imported

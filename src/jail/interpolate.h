// SPDX-License-Identifier: Apache-2.0
#pragma once
// The two ways in which a value of fail2ban's files speaks of others: %(name)s, filled
// in as it is read, and <name>, filled in when all of a filter is known.
#include "jail/ini.h"

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace sallyport::jail {

// The value of a key with every %(name)s filled in from `over`, the section, [DEFAULT],
// for "known/name" from what the section held before its last file, for
// "section/name" from there. None when there is no such section or key.
[[nodiscard]] Result<std::optional<Option>> interpolated(const Ini& ini, std::string_view section,
                                                         std::string_view key, const Options& over);

// Fills in <name> within every value by the others and by `lookup`, again and again
// until nothing changes; names of `ignored` and those that nobody knows stay as they
// are (<HOST>). A name that holds itself is an error.
using TagLookup = std::function<std::optional<std::string>(const std::string& name)>;
[[nodiscard]] Status fill_in_tags(Options& values, const std::set<std::string>& ignored,
                                  const TagLookup& lookup);

} // namespace sallyport::jail

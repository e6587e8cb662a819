// SPDX-License-Identifier: Apache-2.0
#pragma once
// What FILTER of `jail test` means.
#include "base/result.h"
#include "jail/note.h"
#include "jail/settings.h"

#include <string>

namespace sallyport {

struct JailTarget {
    jail::JailSettings settings;
    jail::Notes notes;
    std::string kind; // "filter file", "jail", "filter", "expression"
};

struct JailPlaces {
    std::string policy;   // may not be there
    std::string fail2ban; // the directory that holds filter.d
};

// By its form and in this order: a path is a filter file; a name is a jail of the
// policy, a jail of fail2ban's files, a filter under filter.d; what has <HOST> or the
// like in it is an expression.
[[nodiscard]] Result<JailTarget> find_jail_target(const std::string& text,
                                                  const JailPlaces& places);

} // namespace sallyport

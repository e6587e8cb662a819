// SPDX-License-Identifier: Apache-2.0
#pragma once
// What `check` says of the jails of a policy: expressions are compiled and fail2ban's
// files are read, so that nothing of it is found out only when a jail should work.
#include "config/diagnostic.h"
#include "jail/config_set.h"
#include "policy/policy.h"

#include <string>
#include <vector>

namespace sallyport {

// Errors for jails that cannot be used, warnings for what is not carried of fail2ban's
// files. `directory` holds filter.d.
[[nodiscard]] std::vector<Diagnostic> advise_jails(const Policy& policy, const std::string& file,
                                                   const jail::FileWorld& world,
                                                   const std::string& directory);

} // namespace sallyport

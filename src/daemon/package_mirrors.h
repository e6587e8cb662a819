// SPDX-License-Identifier: Apache-2.0
#pragma once
// Whether the policy lets this machine fetch its packages.
#include "daemon/advice.h"

#include <string>
#include <vector>

namespace sallyport {

// A warning for each TCP port at which APT's sources name a mirror and that no
// egress rule allows towards anybody. Mirrors are names, and names are not asked
// for: whether the addresses that a rule allows are theirs is not judged.
[[nodiscard]] std::vector<Diagnostic> advise_package_mirrors(const Policy& policy,
                                                             const std::string& policy_file,
                                                             const AdviceWorld& world);

} // namespace sallyport

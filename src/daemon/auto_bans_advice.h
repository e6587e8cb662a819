// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is unwise about the automatic bans that a policy asks for.
#include "config/diagnostic.h"
#include "policy/policy.h"

#include <string>
#include <vector>

namespace sallyport {

// Warnings: they ban nobody, or sooner or fewer than who wrote them may think.
[[nodiscard]] std::vector<Diagnostic> advise_auto_bans(const Policy& policy,
                                                       const std::string& policy_file);

} // namespace sallyport

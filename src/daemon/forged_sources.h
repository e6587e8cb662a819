// SPDX-License-Identifier: Apache-2.0
#pragma once
// A private zone is only as good as the link its packets come by: on a NIC with a
// public address anybody can send with a private source, and a rule that allows
// the zone everywhere allows him.
#include "config/diagnostic.h"
#include "kernel/interfaces.h"
#include "policy/policy.h"

#include <span>
#include <string>
#include <vector>

namespace sallyport {

// A warning for each ingress rule that lets private addresses in by every
// interface, when one of those it guards here has a public address.
[[nodiscard]] std::vector<Diagnostic> advise_forged_sources(const Policy& policy,
                                                            const std::string& policy_file,
                                                            std::span<const Interface> interfaces);

} // namespace sallyport

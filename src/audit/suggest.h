// SPDX-License-Identifier: Apache-2.0
#pragma once
// A policy for a machine as it is: what listens, with the narrowest choice that leaves it of
// use, and everything else as comments. It parses; nothing of a process's own words gets out of
// its comment.
#include "audit/judge.h"

#include <string>
#include <vector>

namespace sallyport::audit {

struct SuggestWorld {
    std::vector<Address> session;   // where the caller's session comes from; may be empty
    std::vector<Address> resolvers; // that the machine is configured to use
};

[[nodiscard]] std::string suggest(const Report& report, const Machine& machine,
                                  const SuggestWorld& world);

} // namespace sallyport::audit

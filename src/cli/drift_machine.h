// SPDX-License-Identifier: Apache-2.0
#pragma once
// Comparing what changes by itself.
#include "cli/drift_world.h"
#include "drift/entries.h"

#include <functional>
#include <string>

namespace sallyport {

// The daemon follows within so long.
void let_it_settle();

// How much was looked at, and what is found, if anything.
void tell_differences(const std::string& map, const drift::Differences& found,
                      const StandingWall& wall, drift::Report& report);

// The machine changes while it is looked at, and the daemon follows a moment later: what
// differs is looked at twice.
[[nodiscard]] Status compare_twice(const std::string& map, const StandingWall& wall,
                                   drift::Report& report,
                                   const std::function<Result<drift::Differences>()>& compare);

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
#pragma once
// Running connections in every network namespace of this machine.
#include "daemon/running.h"

#include <functional>
#include <string>
#include <vector>

namespace sallyport {

class Wall;

// `act` in the host's namespace, whose world it is, then in each other that can be entered,
// where nothing is guarded.
void for_each_world(RunningWorld world, const std::function<void(const RunningWorld&)>& act);

// Which running connections the policy would not have let open, a line each: what a change to
// it cuts. None when it observes. Nothing is done.
[[nodiscard]] std::vector<std::string> would_cut(const Wall& wall, const Policy& policy);

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
#pragma once
// Guarding one interface at once, for a udev rule: without a daemon, by the pins.
#include "base/result.h"
#include "daemon/paths.h"
#include "daemon/wall.h"

#include <nlohmann/json.hpp>
#include <string>

namespace sallyport {

// {"guarded":true,"mode":"native","why":null}
[[nodiscard]] nlohmann::ordered_json to_json(const Wall::Guarded& guarded);

// Not guarded, and no error, when no wall stands. ErrorKind::not_found when there is no
// such interface; conflict when a daemon holds the pins.
[[nodiscard]] Result<Wall::Guarded> guard_by_pins(const Paths& paths, const std::string& name);

} // namespace sallyport

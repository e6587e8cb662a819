// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where the state of the wall is known: the daemon, or the pins when none answers.
#include "base/result.h"
#include "daemon/paths.h"

#include <nlohmann/json.hpp>

namespace sallyport {

// As to_json(StatusView) writes it, with what a daemon of another version may have besides.
[[nodiscard]] Result<nlohmann::ordered_json> find_status(const Paths& paths);

} // namespace sallyport

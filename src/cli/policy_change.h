// SPDX-License-Identifier: Apache-2.0
#pragma once
// What apply, confirm and rollback have in common: whom they ask, and how they tell it.
#include "cli/exit_code.h"
#include "cli/output.h"
#include "daemon/paths.h"

#include <nlohmann/json.hpp>
#include <string>

namespace sallyport {

// Of the daemon; where none answers, of the pins, unless it is `apply`. not_found when there
// is nobody to ask.
[[nodiscard]] Result<nlohmann::ordered_json> ask_about_policy(const Paths& paths,
                                                              const nlohmann::json& request);
// Asks and tells, and exits 1 when the answer is that nothing was changed.
[[nodiscard]] ExitCode change_policy(const Paths& paths, const nlohmann::json& request,
                                     Format format);

} // namespace sallyport

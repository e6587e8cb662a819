// SPDX-License-Identifier: Apache-2.0
#pragma once
// Questions about bans, from the command.
#include "cli/output.h"
#include "daemon/paths.h"

namespace sallyport {

// By the daemon, or over the pins when there is none; not_found when there is neither.
[[nodiscard]] Result<nlohmann::ordered_json> ask_about_bans(const Paths& paths,
                                                            const nlohmann::json& request);
[[nodiscard]] ExitCode report_ban_failure(const Error& error, Format format);

} // namespace sallyport

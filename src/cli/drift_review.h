// SPDX-License-Identifier: Apache-2.0
#pragma once
// The review of the last seven days: drift, rules, drops, bans, changes.
#include "cli/exit_code.h"
#include "cli/output.h"
#include "daemon/paths.h"
#include "drift/review.h"
#include "event/event.h"

#include <string>

namespace sallyport {

// A span of the event log, and the one before it.
struct LogSpan {
    WallTime before{}, from{}, to{};
};
// Adds what the log says of it: drops, bans, losses, hooks. A line that is no event is counted,
// and so is a file that cannot be read.
void read_log(const std::string& path, const LogSpan& span, drift::Review& review);

[[nodiscard]] ExitCode print_review(const Paths& paths, Format format);

} // namespace sallyport

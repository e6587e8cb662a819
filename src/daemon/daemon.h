// SPDX-License-Identifier: Apache-2.0
#pragma once
// The daemon in the foreground.
#include "base/result.h"
#include "daemon/metrics_listener.h"
#include "daemon/paths.h"

#include <cstdint>
#include <optional>
#include <string>

namespace sallyport {

// What a clean end leaves behind.
enum class OnExit : std::uint8_t { keep, detach };
// What happens to connections that were there before the wall.
enum class Running : std::uint8_t { judge, keep };
// What a start does with a policy from the file whose NICs are not there. One that was good
// before always waits.
enum class MissingNics : std::uint8_t { refuse, wait };

struct RunOptions {
    std::string policy_file = "/etc/sallyport/policy.toml";
    Paths paths;
    OnExit on_exit = OnExit::keep;
    Running running = Running::judge;
    MissingNics nics = MissingNics::refuse;
    bool force = false;                    // over refuse_leap() and a panic of another version
    std::optional<MetricsAddress> metrics; // none: nobody may scrape
    bool journal = false;                  // events go to systemd's journal too
    std::string log_level = "info"; // trace, debug, info, warning, error; checked by the caller
};

// Returns after SIGTERM or SIGINT, with the exit code.
[[nodiscard]] Result<int> run_daemon(const RunOptions& options);

} // namespace sallyport

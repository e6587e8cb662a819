// SPDX-License-Identifier: Apache-2.0
#pragma once
// What learning reads of the machine: events, who listens, and the policy that observes.
#include "cli/audit_world.h"
#include "cli/exit_code.h"
#include "config/parse.h"
#include "daemon/paths.h"
#include "daemon/status.h"
#include "learn/seen.h"

#include <chrono>
#include <string>

namespace sallyport {

// Who listens on this host and what its NAT publishes, named by the catalogue.
[[nodiscard]] Result<std::vector<learn::Served>> served_here(AskNat ask_nat,
                                                             const audit::Catalogue& catalogue);

struct ObservedPolicy {
    ParsedPolicy parsed;
    std::string text; // as written
    std::string file;
};
// The policy that the status tells of: its file, or what was kept of it when the file has
// changed since.
[[nodiscard]] Result<ObservedPolicy> observed_policy(const StatusView& status, const Paths& paths);
[[nodiscard]] Result<ObservedPolicy> policy_of_file(const std::string& file);
[[nodiscard]] Result<StatusView> daemon_status(const Paths& paths);

// Every line of a file of events, "-" for standard input.
[[nodiscard]] Status learn_from_file(const std::string& file, learn::Seen& seen);

// The daemon's stream for so long, or until SIGINT or SIGTERM; a daemon that ends is waited for,
// and what was missed said. Whether the time was up.
[[nodiscard]] Result<bool> learn_live(const Paths& paths, std::chrono::seconds span,
                                      const audit::Catalogue& catalogue, learn::Seen& seen);

} // namespace sallyport

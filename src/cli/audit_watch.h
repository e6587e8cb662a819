// SPDX-License-Identifier: Apache-2.0
#pragma once
// Listeners as they appear.
#include "audit/judge.h"
#include "cli/audit_world.h"
#include "cli/output.h"

#include <cstdint>

namespace sallyport {

struct WatchOptions {
    Scope scope = Scope::every_namespace;
    Format format = Format::text;
    std::uint64_t count = 0; // 0: no end
};

// What listens at first is not told. Until SIGINT or SIGTERM, or nobody reads.
[[nodiscard]] Result<ExitCode> watch_listeners(const WatchOptions& options, PolicyInForce& force,
                                               const audit::Catalogue& catalogue);

} // namespace sallyport

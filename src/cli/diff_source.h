// SPDX-License-Identifier: Apache-2.0
#pragma once
// The policies that `diff` is asked about, read without a daemon.
#include "base/result.h"
#include "daemon/paths.h"
#include "diff/difference.h"
#include "policy/policy.h"

#include <string>
#include <vector>

namespace sallyport {

struct DiffSource {
    Policy policy;
    std::vector<diff::Zone> zones;
    std::string title; // for people
    std::string file;  // where it came from; of one of the history: where it was read from
};

// A number of the history, or a file. Diagnostics of a file go to stderr. invalid_input: it is
// no good policy; not_found: nothing has that number.
[[nodiscard]] Result<DiffSource> named_policy(const std::string& name, const Paths& paths);
// What is in force; where no wall can be asked, the newest good policy of the history.
[[nodiscard]] Result<DiffSource> loaded_policy(const Paths& paths);
// The file that the loaded policy came from, as it is now; without one the usual file.
[[nodiscard]] Result<DiffSource> policy_of_file(const Paths& paths);

} // namespace sallyport

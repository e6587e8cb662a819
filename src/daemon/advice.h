// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a good policy may still lack on this machine: an egress rule for the
// resolvers, time servers and package mirrors that the machine is configured to
// use. Of resolvers and time servers only literal addresses are looked at, of
// mirrors only the port (package_mirrors.h); names would need the network. And a
// setting of the kernel that SYN cookies want (syn_cookies.h), and unwise automatic bans
// (auto_bans_advice.h).
#include "config/diagnostic.h"
#include "policy/policy.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sallyport {

// Text of a file, nullopt when it cannot be read.
using FileReader = std::function<std::optional<std::string>(const std::string& path)>;
// Names of files in a directory that end in `suffix`, sorted; empty when there is none.
using DirectoryLister = std::function<std::vector<std::string>(const std::string& directory,
                                                               const std::string& suffix)>;

struct AdviceWorld {
    FileReader read_file;
    DirectoryLister list;
};
[[nodiscard]] AdviceWorld system_advice_world();

// The resolvers that are configured by address, those behind a local one too.
[[nodiscard]] std::vector<Address> configured_resolvers(const AdviceWorld& world);

// Warnings about `policy_file` as a whole (line 0). Loopback servers need no rule.
[[nodiscard]] std::vector<Diagnostic> advise(const Policy& policy, const std::string& policy_file,
                                             const AdviceWorld& world);

} // namespace sallyport

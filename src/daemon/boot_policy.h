// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which policy a start takes: what stands, else the last good one, else the file.
#include "daemon/policy_source.h"
#include "daemon/wall_news.h"

#include <cstdint>
#include <optional>
#include <string>

namespace sallyport {

struct BootPolicy {
    enum class From : std::uint8_t {
        standing, // a wall of this layout does; `source` is the file
        file,     // nothing was ever good here, or `down` has ended it
        kept,     // the last good one, as it was kept
        shut,     // there is one, and it cannot be loaded: shut_policy()
    };
    From from = From::file;
    std::optional<PolicySource> source; // empty: there is none to take
    std::string why;                    // the last good one cannot be loaded
};

// On bare ground, or in the place of another version's wall. `file` is what the policy file says
// now, nothing when it has errors.
[[nodiscard]] BootPolicy boot_policy(const std::string& state_dir,
                                     const std::optional<PolicySource>& file);
// The policy that shuts, with what is still known of NICs, cgroup and the zone admin: from the
// record of what was enforced, the kept policies, newest first, and the file, in that order.
[[nodiscard]] BootPolicy boot_shut(const std::string& state_dir,
                                   const std::optional<PolicySource>& file, std::string why);

// Shut: said in the log and on the console, with who may enter and what to do.
void say_shut(const BootPolicy& boot, const std::string& policy_file);

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
#pragma once
// The policy of a panic: nothing in, nothing out, but what the link lives by, the session of
// who asks, and new sessions of the zone `admin` where there is one.
#include "daemon/enforced.h"
#include "daemon/lockout.h"
#include "daemon/wall_news.h"

#include <cstdint>
#include <set>
#include <span>
#include <vector>

namespace sallyport {

// What is enforced gives the NICs, the cgroup, bans and whom the zone `admin` is; of its rules
// none stays, nor what it says of pings, jails and observing. `logins`: ports of login servers;
// none: 22.
[[nodiscard]] PolicySource panic_policy(const Policy& enforced, std::span<const Door> doors,
                                        const std::set<std::uint16_t>& logins);
// Without a rule: what is known without the policy, which NICs and whose processes.
[[nodiscard]] Policy bare_policy(const Enforced& enforced);

} // namespace sallyport

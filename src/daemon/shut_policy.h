// SPDX-License-Identifier: Apache-2.0
#pragma once
// The policy of a host whose last good one cannot be loaded: nothing in, nothing out, but what
// the link lives by and the way in for who mends it.
#include "daemon/ssh_ports.h"
#include "daemon/wall_news.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>

namespace sallyport {

// As the record of what is enforced names it; it is never kept in the history.
inline constexpr const char* kShutFile = "(fail-closed)";

// `base` gives the NICs, the cgroup and the zone `admin`, who may open ssh at `logins` (none:
// 22). Without that zone everybody may, twenty connections a minute each: a host that can be
// reached by ssh alone must not be lost.
[[nodiscard]] PolicySource shut_policy(const Policy& base, const std::set<std::uint16_t>& logins);

// "ssh, port 22, from the zone admin": what shut_policy() lets in, for people.
[[nodiscard]] std::string who_may_enter(const Policy& base, const std::set<std::uint16_t>& logins);

// The cgroup itself, or the nearest above it that is there: "/" always is.
[[nodiscard]] std::string nearest_cgroup(std::string cgroup,
                                         const std::function<bool(const std::string&)>& is_there);

} // namespace sallyport

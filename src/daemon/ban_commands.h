// SPDX-License-Identifier: Apache-2.0
#pragma once
// ban, unban and bans as the control socket has them, and the same by the pins when there is
// no daemon. Requests:
//
//   {"cmd":"ban","network":"203.0.113.0/24","seconds":3600,"reason":"..."}   for ever without
//   seconds
//   {"cmd":"unban","network":"203.0.113.0/24"}
//   {"cmd":"bans","after":"203.0.113.9"}     a page; "next" is what the following one is after
//
// The answers have "banned" or "unbanned"; when it is false, "why" and "next" say more.
#include "base/result.h"
#include "daemon/bans.h"
#include "daemon/control.h"
#include "daemon/paths.h"

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

namespace sallyport {

inline constexpr std::size_t kBanReasonMax = 1000; // bytes

[[nodiscard]] bool is_ban_command(const std::string& command);

// `cut` ends the sockets of who was just banned and says how many.
[[nodiscard]] Result<nlohmann::ordered_json>
answer_ban_command(Bans& bans, const nlohmann::json& request, const Peer& peer,
                   const std::function<std::size_t()>& cut);

// As root, over a wall that stands with nobody at it; not_found when there is none.
[[nodiscard]] Result<nlohmann::ordered_json> ban_by_pins(const Paths& paths,
                                                         const nlohmann::json& request);

} // namespace sallyport

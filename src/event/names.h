// SPDX-License-Identifier: Apache-2.0
#pragma once
// Names of the numbers in events and counters, and back. A number without a
// name is printed as a number; parse_ takes names only, but for protocols.
#include "event/event.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

[[nodiscard]] std::string reason_name(std::uint8_t reason); // "no-rule"
[[nodiscard]] std::optional<std::uint8_t> parse_reason(std::string_view name);
[[nodiscard]] std::string_view reason_meaning(std::uint8_t reason); // empty when not known
[[nodiscard]] std::vector<std::uint8_t> all_reasons();              // in number order, without 0

[[nodiscard]] std::string direction_name(std::uint8_t direction); // "ingress"
[[nodiscard]] std::optional<std::uint8_t> parse_direction(std::string_view name);

[[nodiscard]] std::string hook_name(std::uint8_t hook); // "xdp", "connect", "forward" and so on
[[nodiscard]] std::optional<std::uint8_t> parse_hook(std::string_view name);

[[nodiscard]] std::string socket_family_name(std::uint16_t family); // "packet", "xdp"
[[nodiscard]] std::optional<std::uint16_t> parse_socket_family(std::string_view name);

[[nodiscard]] std::string to_string(EventKind kind); // "would-drop"; a number when not known
[[nodiscard]] std::optional<EventKind> parse_event_kind(std::string_view name);

[[nodiscard]] std::string to_string(LostBy lost_by); // "slow-reader"
[[nodiscard]] std::optional<LostBy> parse_lost_by(std::string_view name);

[[nodiscard]] std::string to_string(EventState state); // "restored"
[[nodiscard]] std::optional<EventState> parse_event_state(std::string_view name);

[[nodiscard]] std::string proto_name(std::uint8_t proto); // "tcp"; "47" when it has no name here
[[nodiscard]] std::optional<std::uint8_t> parse_proto(std::string_view name); // numbers too

// "2026-01-02T03:04:05.678901Z", as RFC 3339 writes it.
[[nodiscard]] std::string timestamp_text(WallTime at);
// The same back, and nothing else.
[[nodiscard]] std::optional<WallTime> parse_timestamp(std::string_view text);

// "SA"; "-" when none is set. Letters, in this order: F S R P A U E C.
[[nodiscard]] std::string tcp_flag_letters(std::uint8_t flags);
[[nodiscard]] std::optional<std::uint8_t> parse_tcp_flags(std::string_view letters);

} // namespace sallyport

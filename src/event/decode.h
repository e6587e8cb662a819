// SPDX-License-Identifier: Apache-2.0
#pragma once
// A record of the ring buffer to an Event.
#include "base/result.h"
#include "event/event.h"

#include <chrono>
#include <cstddef>
#include <span>

namespace sallyport {

// `monotonic_to_wall` is what CLOCK_REALTIME is ahead of CLOCK_MONOTONIC. Only
// facts the record's flags vouch for are taken. An error when the record's size
// or version is not ours; kinds, reasons and hooks that are not known are kept
// as numbers. host, iface, rule, exe, cgroup and unit stay empty.
[[nodiscard]] Result<Event> decode_event(std::span<const std::byte> record,
                                         std::chrono::nanoseconds monotonic_to_wall);

} // namespace sallyport

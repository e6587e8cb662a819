// SPDX-License-Identifier: Apache-2.0
#pragma once
// One line an event for people: aligned, names rather than numbers.
#include "event/event.h"

#include <string>

namespace sallyport {

enum class Colour : unsigned char { never, always };

// Without a newline; what others chose (a comm, a path) is escaped. The time is in the machine's
// time zone, or UTC when `zone` says so.
enum class Zone : unsigned char { local, utc };
[[nodiscard]] std::string to_text(const Event& event, Colour colour, Zone zone = Zone::local);

} // namespace sallyport

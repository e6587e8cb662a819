// SPDX-License-Identifier: Apache-2.0
#pragma once
// The record that users read: one JSON object a line, field names and order as
// docs/events.md fixes them. The same on the control socket, in the log file
// and from `tail --json`.
#include "base/result.h"
#include "event/event.h"

#include <string>
#include <string_view>

namespace sallyport {

// Without a newline. Absent facts are left out. Always valid UTF-8 and never a
// raw control character: bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string to_json_line(const Event& event);

// The way back, for readers of the stream. Unknown keys are passed over;
// an error when it is no object, has no known `event`, or a key of the wrong type.
[[nodiscard]] Result<Event> event_from_json(std::string_view line);

} // namespace sallyport

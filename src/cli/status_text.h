// SPDX-License-Identifier: Apache-2.0
#pragma once
// The status for people.
#include "daemon/status.h"
#include "event/text.h"

#include <string>

namespace sallyport {

// First line: protected, observing, or NOT protected and why. Ends in a newline.
[[nodiscard]] std::string render_status(const StatusView& status, Colour colour);

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
#pragma once
// The status as the pins alone tell it, for when no daemon answers.
#include "base/result.h"
#include "daemon/paths.h"
#include "daemon/status.h"

namespace sallyport {

// No pins at all is a status too: not protected, and why.
[[nodiscard]] Result<StatusView> status_from_pins(const Paths& paths);

} // namespace sallyport

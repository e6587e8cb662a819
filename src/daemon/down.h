// SPDX-License-Identifier: Apache-2.0
#pragma once
// Detaches every hook and removes every pin.
#include "base/result.h"
#include "daemon/paths.h"

#include <string>
#include <vector>

namespace sallyport {

// Nothing there is a success too. ErrorKind::conflict when a daemon runs over
// these pins.
[[nodiscard]] Status take_down(const Paths& paths);

} // namespace sallyport

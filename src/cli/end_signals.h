// SPDX-License-Identifier: Apache-2.0
#pragma once
// For commands that go on until they are ended.
#include "base/fd.h"

namespace sallyport {

// SIGINT and SIGTERM, blocked from here on, as something to wait for together with the rest:
// readable when one has come. Not open when the machine has no descriptor left.
[[nodiscard]] Fd end_signals();

} // namespace sallyport

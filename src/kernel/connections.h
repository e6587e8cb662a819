// SPDX-License-Identifier: Apache-2.0
#pragma once
// The connections that rules count, from outside. The programs count by themselves; this
// is for when they were not asked.
#include "base/result.h"
#include "kernel/programs.h"

namespace sallyport {

// Counts anew, by the sockets that are. Exact while connections come and go.
// not_supported where the kernel refuses the program.
[[nodiscard]] Status recount_connections(const Programs& programs);

} // namespace sallyport

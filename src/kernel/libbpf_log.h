// SPDX-License-Identifier: Apache-2.0
#pragma once
// libbpf speaks through one global callback. What it says while a load fails is the only
// explanation there is, so its warnings are kept for the Error.
#include "base/result.h"

#include <string>

namespace sallyport {

// From now on; what was kept before is forgotten.
void keep_libbpf_warnings();
[[nodiscard]] const std::string& libbpf_warnings();
// Of a load that failed with that errno: with what libbpf said, and what to do about it.
[[nodiscard]] std::unexpected<Error> fail_load(int error);

} // namespace sallyport

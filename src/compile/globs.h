// SPDX-License-Identifier: Apache-2.0
#pragma once
// Globs of interface names as the bit-parallel automata that the kernel runs.
#include "base/result.h"
#include "sallyport/abi/types.h"

#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

// What fnmatch(3) says of every name of at most 15 bytes. At most SP_GLOB_GROUPS
// groups; invalid_input when the globs need more.
[[nodiscard]] Result<std::vector<sp_globs>> compile_globs(const std::vector<std::string>& globs);
// As the program does it.
[[nodiscard]] bool matches(const std::vector<sp_globs>& groups, std::string_view name);

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
#pragma once
// The values that an option or a positional may have, as far as they are known here.
#include "cli/complete.h"

namespace sallyport {

// `option` is one of `command`, or of one above it. An option or positional that is in none
// of the tables has no candidates: a new one is added there.
[[nodiscard]] Completion values_for(const CLI::App& command, const CLI::Option& option,
                                    const std::string& word, const std::string& policy_file);

} // namespace sallyport

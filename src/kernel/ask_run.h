// SPDX-License-Identifier: Apache-2.0
#pragma once
// One packet through one program by BPF_PROG_TEST_RUN, and what its result means.
#include "base/result.h"
#include "kernel/ask.h"

#include <cstdint>

namespace sallyport {

// What the program returned.
[[nodiscard]] Result<std::uint32_t> run_asked(Program program, int fd, const Question& question);
[[nodiscard]] bool passes(Program program, std::uint32_t action);

} // namespace sallyport

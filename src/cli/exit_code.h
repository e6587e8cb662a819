// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the command's exit says; scripts rely on it.
#include "base/result.h"

namespace sallyport {

enum class ExitCode : int {
    done = 0,
    no = 1,        // the answer is no, about a good policy or a healthy machine
    usage = 2,     // wrong arguments or a bad policy
    refused = 3,   // the kernel or the machine refused
    no_daemon = 4, // a command that needs the daemon found none
};

[[nodiscard]] constexpr ExitCode exit_code_of(ErrorKind kind) {
    switch (kind) {
    case ErrorKind::invalid_input:
        return ExitCode::usage;
    case ErrorKind::not_supported:
    case ErrorKind::permission:
    case ErrorKind::kernel:
    case ErrorKind::conflict:
    case ErrorKind::not_found:
    case ErrorKind::internal:
        return ExitCode::refused;
    }
    return ExitCode::refused;
}

} // namespace sallyport

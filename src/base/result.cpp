// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace sallyport {

std::string Error::text() const {
    std::string line;
    for (std::size_t i = contexts.size(); i-- > 0;) line += contexts[i] + ": ";
    return line + message;
}

std::unexpected<Error> fail_errno(int number, std::string_view what, std::string hint) {
    ErrorKind kind =
        number == EPERM || number == EACCES ? ErrorKind::permission : ErrorKind::kernel;
    if (number == ENOENT) kind = ErrorKind::not_found;
    return fail(kind, std::string(what) + ": " + std::generic_category().message(number),
                std::move(hint));
}

void check_failed(const char* expression, const char* file, int line) {
    std::fprintf(stderr, "sallyport: broken invariant: %s at %s:%d\n", expression, file, line);
    std::abort();
}

} // namespace sallyport

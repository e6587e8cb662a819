// SPDX-License-Identifier: Apache-2.0
#pragma once
// May this file be read, and obeyed? Asked of one that is open, so that it cannot be
// exchanged in between.
#include "base/result.h"

#include <cstddef>
#include <string>
#include <sys/stat.h>

namespace sallyport {

// A regular file, of no more than so many bytes (a number of MiB).
[[nodiscard]] Status check_is_readable(const struct stat& file, const std::string& path,
                                       std::size_t most);
// What a firewall obeys must not be writable by those it is to hold: it belongs to root or
// this process's user, and nobody else may write it.
[[nodiscard]] Status check_is_ours(const struct stat& file, const std::string& path);

} // namespace sallyport

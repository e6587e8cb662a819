// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the kernel or root keep in small files, of which nothing may hold us up.
#include <cstddef>
#include <optional>
#include <string>

namespace sallyport {

inline constexpr std::size_t kSmallFileMost = 65536; // bytes

// The first `most` bytes, fewer when the file ends (those of /proc have no size). nullopt when
// it cannot be opened or read, or is neither a regular file nor one of /proc: a FIFO is not
// waited for.
[[nodiscard]] std::optional<std::string> read_small_file(const std::string& path,
                                                         std::size_t most = kSmallFileMost);
// Where a symbolic link leads, as it says itself; "" when it cannot be read.
[[nodiscard]] std::string read_link(const std::string& path);

} // namespace sallyport

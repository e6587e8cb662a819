// SPDX-License-Identifier: Apache-2.0
#include "base/file_checks.h"

#include <cstdint>
#include <unistd.h>

namespace sallyport {

Status check_is_readable(const struct stat& file, const std::string& path, std::size_t most) {
    constexpr std::size_t kMebibyte = 1024 * 1024;
    if (!S_ISREG(file.st_mode))
        return fail(ErrorKind::invalid_input, path + " is not a regular file");
    if (static_cast<std::uint64_t>(file.st_size) > most)
        return fail(ErrorKind::invalid_input,
                    path + " is larger than " + std::to_string(most / kMebibyte) + " MiB");
    return {};
}

Status check_is_ours(const struct stat& file, const std::string& path) {
    if (file.st_uid != 0 && file.st_uid != ::geteuid())
        return fail(ErrorKind::permission,
                    path + " belongs to user " + std::to_string(file.st_uid) +
                        ", who could change it",
                    "chown root " + path);
    if ((file.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return fail(ErrorKind::permission, path + " can be written by others than its owner",
                    "chmod go-w " + path);
    return {};
}

} // namespace sallyport

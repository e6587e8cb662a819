// SPDX-License-Identifier: Apache-2.0
#include "jail/disk.h"

#include "base/fd.h"
#include "base/file_checks.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>

namespace sallyport::jail {

namespace {

constexpr std::size_t kSizeMax = 4 << 20;

Result<std::string> read_file(const std::string& path, Trust trust) {
    // Not blocking, or a FIFO would hold us until somebody writes.
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd && (errno == ENOENT || errno == ENOTDIR))
        return fail(ErrorKind::not_found, "there is no " + path);
    if (!fd) return fail_errno(errno, "cannot open " + path);
    struct stat file{};
    if (::fstat(fd.get(), &file) != 0) return fail_errno(errno, "cannot look at " + path);
    SP_TRY(check_is_readable(file, path, kSizeMax));
    if (trust == Trust::owner) SP_TRY(check_is_ours(file, path));
    std::string text;
    char buffer[65536];
    for (;;) {
        const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno(errno, "cannot read " + path);
        if (got == 0) return text;
        text.append(buffer, static_cast<std::size_t>(got));
        if (text.size() > kSizeMax)
            return fail(ErrorKind::invalid_input, path + " grows while it is read");
    }
}

std::vector<std::string> list(const std::string& directory) {
    std::vector<std::string> names;
    std::error_code error;
    for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
         at.increment(error))
        names.push_back(at->path().filename().string());
    std::ranges::sort(names);
    return names;
}

} // namespace

FileWorld disk_world(Trust trust) {
    return {.read_file = [trust](const std::string& path) { return read_file(path, trust); },
            .list = list};
}

} // namespace sallyport::jail

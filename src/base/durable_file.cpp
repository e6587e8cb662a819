// SPDX-License-Identifier: Apache-2.0
#include "base/durable_file.h"

#include "base/fd.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace sallyport {
namespace {

constexpr const char* kFreeSpace = "free space on that disk";

Status sync_directory(const std::string& path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return fail_errno(errno, "opening " + path);
    // EINVAL: the file system has no such thing, and has done what it can.
    if (::fsync(fd.get()) != 0 && errno != EINVAL) return fail_errno(errno, "writing " + path);
    return {};
}

std::string directory_of(const std::string& path) {
    const std::string directory = std::filesystem::path(path).parent_path();
    return directory.empty() ? "." : directory;
}

Status write_opened(const Fd& fd, const std::string& path, std::string_view text) {
    if (!fd) return fail_errno(errno, "making " + path);
    while (!text.empty()) {
        const ssize_t wrote = ::write(fd.get(), text.data(), text.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return fail_errno(errno, "writing " + path, kFreeSpace);
        text.remove_prefix(static_cast<std::size_t>(wrote));
    }
    if (::fsync(fd.get()) != 0) return fail_errno(errno, "writing " + path, kFreeSpace);
    return {};
}

} // namespace

Status write_durably(const std::string& path, std::string_view text) {
    const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    return write_opened(fd, path, text);
}

Status replace_durably(const std::string& path, std::string_view text, mode_t mode) {
    // One of its own, not what somebody else laid there, who would go on writing into it.
    const std::string fresh = path + ".new";
    ::unlink(fresh.c_str());
    const Fd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    SP_TRY(write_opened(fd, fresh, text));
    if (::fchmod(fd.get(), mode) != 0) return fail_errno(errno, "setting who may read " + path);
    return rename_durably(path + ".new", path);
}

Status rename_durably(const std::string& from, const std::string& to) {
    std::error_code error;
    if (std::filesystem::is_directory(from, error)) SP_TRY(sync_directory(from));
    if (std::rename(from.c_str(), to.c_str()) != 0) return fail_errno(errno, "renaming " + from);
    return sync_directory(directory_of(to));
}

Status remove_durably(const std::string& path) {
    if (::unlink(path.c_str()) == 0) return sync_directory(directory_of(path));
    if (errno == ENOENT) return {};
    return fail_errno(errno, "removing " + path);
}

Status make_directory_durably(const std::string& path) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) return {};
    const std::string above = directory_of(path);
    if (above != path) SP_TRY(make_directory_durably(above));
    if (::mkdir(path.c_str(), 0777) != 0 && errno != EEXIST)
        return fail_errno(errno, "making " + path);
    if (!std::filesystem::is_directory(path, error)) return fail_errno(ENOTDIR, "making " + path);
    return sync_directory(above);
}

} // namespace sallyport

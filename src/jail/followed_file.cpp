// SPDX-License-Identifier: Apache-2.0
#include "jail/followed_file.h"

#include "jail/judge.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>

namespace sallyport::jail {

namespace {

constexpr off_t kRecent = 8 << 20;
constexpr off_t kBehindMax = 64 << 20;

ssize_t read_at(int fd, char* into, std::size_t size, off_t offset) {
    ssize_t got = -1;
    do got = ::pread(fd, into, size, offset);
    while (got < 0 && errno == EINTR);
    return got;
}

} // namespace

FollowedFile::FollowedFile(Fd fd, dev_t device, ino_t inode)
    : fd_(std::move(fd)), device_(device), inode_(inode) {}

Result<FollowedFile> FollowedFile::open(const std::string& path, Start start) {
    Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd) return fail_errno(errno, "cannot open " + path);
    struct stat file{};
    if (::fstat(fd.get(), &file) != 0) return fail_errno(errno, "cannot look at " + path);
    if (!S_ISREG(file.st_mode))
        return fail(ErrorKind::invalid_input, path + " is not a regular file");
    FollowedFile made(std::move(fd), file.st_dev, file.st_ino);
    if (start == Start::end)
        made.skip_to(file.st_size);
    else if (start == Start::recent && file.st_size > kRecent)
        made.skip_to(file.st_size - kRecent);
    return made;
}

// What follows is part of a line, unless a newline stands right before it.
void FollowedFile::skip_to(off_t offset) {
    offset_ = offset;
    partial_.clear();
    char before = '\n';
    is_dropping_ =
        offset > 0 && (read_at(fd_.get(), &before, 1, offset - 1) != 1 || before != '\n');
    remember_tail();
}

void FollowedFile::remember_tail() {
    const off_t from = std::max<off_t>(0, offset_ - static_cast<off_t>(tail_.size()));
    const ssize_t got =
        read_at(fd_.get(), tail_.data(), static_cast<std::size_t>(offset_ - from), from);
    tail_size_ = got == offset_ - from ? static_cast<std::size_t>(got) : 0;
}

// Shorter than before, or something else stands where we have read.
bool FollowedFile::was_truncated(off_t size) const {
    if (size < offset_) return true;
    if (tail_size_ == 0) return false;
    std::array<char, 64> now{};
    const off_t from = offset_ - static_cast<off_t>(tail_size_);
    return read_at(fd_.get(), now.data(), tail_size_, from) == static_cast<ssize_t>(tail_size_) &&
           std::memcmp(now.data(), tail_.data(), tail_size_) != 0;
}

void FollowedFile::take(std::string_view bytes, const Sink& sink, FollowCounters& counters) {
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const std::string_view piece = bytes.substr(0, end);
        bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
        if (!is_dropping_ && partial_.size() + piece.size() > kLineMax) {
            is_dropping_ = true;
            partial_.clear();
            ++counters.too_long;
        }
        if (!is_dropping_) partial_ += piece;
        if (end == std::string_view::npos) return;
        if (!is_dropping_) {
            ++counters.lines;
            sink(partial_);
        }
        is_dropping_ = false;
        partial_.clear();
    }
}

bool FollowedFile::read(std::size_t bytes, const Sink& sink, FollowCounters& counters) {
    struct stat file{};
    if (::fstat(fd_.get(), &file) != 0) return false;
    if (was_truncated(file.st_size)) {
        ++counters.truncations;
        skip_to(0);
    }
    if (file.st_size - offset_ > kBehindMax) {
        const off_t to = file.st_size - kRecent;
        counters.skipped_bytes += static_cast<std::uint64_t>(to - offset_);
        skip_to(to);
    }
    if (file.st_size <= offset_) return false;
    char buffer[65536];
    while (bytes > 0) {
        const ssize_t got = read_at(fd_.get(), buffer, std::min(bytes, sizeof buffer), offset_);
        if (got <= 0) break;
        offset_ += got;
        asked_ = 0;
        bytes -= static_cast<std::size_t>(got);
        counters.bytes += static_cast<std::uint64_t>(got);
        take({buffer, static_cast<std::size_t>(got)}, sink, counters);
    }
    remember_tail();
    return bytes == 0;
}

void FollowedFile::finish(const Sink& sink, FollowCounters& counters) {
    if (partial_.empty() || is_dropping_) return;
    ++counters.lines;
    sink(partial_);
    partial_.clear();
}

} // namespace sallyport::jail

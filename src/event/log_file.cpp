// SPDX-License-Identifier: Apache-2.0
// Appending whole lines to a file that may be rotated by us, moved or removed
// by others, and sit on a disk that is full.
#include "event/log_file.h"

#include "event/json.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sallyport {

Result<std::unique_ptr<LogFile>> LogFile::open(LogFileOptions options) {
    std::unique_ptr<LogFile> file(new LogFile(std::move(options)));
    SP_TRY(file->reopen());
    return file;
}

namespace {

// O_NOFOLLOW: the directory may be writable by a log group.
constexpr int kAppend = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;

// A file that is there keeps the mode and the group that somebody gave it.
Fd open_or_make(const LogFileOptions& options) {
    Fd file(::open(options.path.c_str(), kAppend));
    if (file || errno != ENOENT) return file;
    file = Fd(::open(options.path.c_str(), kAppend | O_CREAT | O_EXCL, 0600));
    if (!file && errno == EEXIST) return Fd(::open(options.path.c_str(), kAppend));
    if (!file) return file;
    // Where either fails, fewer may read it than should.
    if (options.readers && ::fchown(file.get(), static_cast<uid_t>(-1), *options.readers) != 0)
        return file;
    static_cast<void>(::fchmod(file.get(), 0640));
    return file;
}

} // namespace

Status LogFile::reopen() {
    Fd file = open_or_make(options_);
    if (!file)
        return fail_errno(errno, "opening " + options_.path,
                          "make its directory, or choose another with SALLYPORT_LOG_DIR");
    struct stat about{};
    if (::fstat(file.get(), &about) != 0) return fail_errno(errno, "looking at " + options_.path);
    if (!S_ISREG(about.st_mode))
        return fail(ErrorKind::invalid_input, options_.path + " is not a regular file",
                    "move it away, or choose another directory with SALLYPORT_LOG_DIR");
    SP_TRY(mend(file.get(), static_cast<std::uint64_t>(about.st_size)));
    is_roots_ = (about.st_mode & 0077) == 0;
    file_ = std::move(file);
    return {};
}

// A line that a crash cut short must not swallow the next one.
Status LogFile::mend(int file, std::uint64_t size) {
    size_ = size;
    if (size == 0) return {};
    Fd reader(::open(options_.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    char last = '\n';
    if (!reader || ::pread(reader.get(), &last, 1, static_cast<off_t>(size - 1)) != 1 ||
        last == '\n')
        return {};
    if (::write(file, "\n", 1) != 1) return fail_errno(errno, "writing to " + options_.path);
    ++size_;
    return {};
}

Status LogFile::rotate() {
    const auto numbered = [&](unsigned n) { return fmt::format("{}.{}", options_.path, n); };
    if (options_.keep == 0) {
        if (::unlink(options_.path.c_str()) != 0 && errno != ENOENT)
            return fail_errno(errno, "removing " + options_.path);
        return reopen();
    }
    for (unsigned n = options_.keep; n > 0; --n) {
        const std::string from = n == 1 ? options_.path : numbered(n - 1);
        if (::rename(from.c_str(), numbered(n).c_str()) != 0 && errno != ENOENT)
            return fail_errno(errno, "rotating " + from);
    }
    return reopen();
}

Status LogFile::ensure_room(std::size_t bytes) {
    struct stat ours{};
    struct stat named{};
    const bool is_named = ::stat(options_.path.c_str(), &named) == 0;
    const bool is_ours = file_ && ::fstat(file_.get(), &ours) == 0 && is_named &&
                         ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
    if (!is_ours) return reopen();
    // Others may have cut it (logrotate's copytruncate).
    size_ = static_cast<std::uint64_t>(ours.st_size);
    if (size_ != 0 && size_ + bytes > options_.max_bytes) return rotate();
    return {};
}

Status LogFile::write_line(const std::string& line) {
    const std::string bytes = line + '\n';
    SP_TRY(ensure_room(bytes.size()));
    const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
    if (written == static_cast<ssize_t>(bytes.size())) {
        size_ += bytes.size();
        return {};
    }
    const int number = written < 0 ? errno : ENOSPC;
    // Part of a line is worse than none; making a file shorter needs no room.
    if (written > 0 && ::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0)
        return fail_errno(errno, "taking back part of a line in " + options_.path);
    return fail_errno(number, "writing to " + options_.path, "make room on its file system");
}

bool LogFile::keep_to_root() {
    if (!is_roots_) is_roots_ = ::fchmod(file_.get(), 0600) == 0;
    return is_roots_;
}

Status LogFile::write_event(const Event& event, const std::string& line) {
    if (event.cmdline.empty()) return write_line(line);
    const std::string whole = to_json_line(event);
    SP_TRY(ensure_room(whole.size() + 1)); // it may be another file now
    return write_line(keep_to_root() ? whole : line);
}

void LogFile::take(const Event& event, const std::string& line) {
    Status written;
    if (lost_ != 0) {
        Event gap;
        gap.at = event.at;
        gap.host = event.host;
        gap.kind = EventKind::lost;
        gap.lost_by = LostBy::log_file;
        gap.count = lost_;
        written = write_line(to_json_line(gap));
    }
    if (written && lost_ != 0) {
        change_ = Change{.error = std::nullopt, .lost = lost_};
        lost_ = 0;
        failing_ = false;
    }
    if (written) written = write_event(event, line);
    if (written) return;
    ++lost_;
    ++lost_ever_;
    if (!failing_) change_ = Change{.error = written.error(), .lost = lost_};
    failing_ = true;
}

std::optional<LogFile::Change> LogFile::take_change() {
    return std::exchange(change_, std::nullopt);
}

} // namespace sallyport

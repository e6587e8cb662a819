// SPDX-License-Identifier: Apache-2.0
#include "jail/log_follower.h"

#include <algorithm>
#include <cerrno>
#include <glob.h>
#include <sys/inotify.h>
#include <sys/stat.h>

namespace sallyport::jail {

namespace {

constexpr std::size_t kRetiredMax = 2;
constexpr unsigned kIdleLooks = 3;
constexpr std::chrono::milliseconds kQuickLook(20);
constexpr std::size_t kTurn = 256 * 1024; // of one file, before the next has its turn
constexpr std::size_t kDirectoriesMax = 512;

// IN_MASK_ADD: a directory may be watched for several globs.
constexpr std::uint32_t kDirectoryEvents = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                                           IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_MASK_ADD;
constexpr std::uint32_t kFileEvents =
    IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF | IN_MASK_ADD;

std::vector<std::string> expand(const std::string& pattern, std::size_t most) {
    std::vector<std::string> paths;
    glob_t found{};
    if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0)
        for (std::size_t i = 0; i < found.gl_pathc && paths.size() < most; ++i)
            paths.emplace_back(found.gl_pathv[i]);
    ::globfree(&found);
    return paths;
}

std::string parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

bool is_directory(const std::string& path) {
    struct stat file{};
    return ::stat(path.c_str(), &file) == 0 && S_ISDIR(file.st_mode);
}

} // namespace

LogFollower::LogFollower(Fd inotify, std::vector<LogPath> logs)
    : inotify_(std::move(inotify)), logs_(std::move(logs)) {}

Result<LogFollower> LogFollower::make(std::vector<LogPath> logs) {
    Fd inotify(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (!inotify) return fail_errno(errno, "cannot watch files (inotify)");
    return LogFollower(std::move(inotify), std::move(logs));
}

// Which file an event is about does not matter: all that are open are asked anyway.
void LogFollower::drain_events() {
    alignas(struct inotify_event) char buffer[16384];
    for (;;) {
        const ssize_t got = ::read(inotify_.get(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return;
        for (ssize_t at = 0; at + static_cast<ssize_t>(sizeof(struct inotify_event)) <= got;) {
            const auto* event = reinterpret_cast<const struct inotify_event*>(buffer + at);
            if ((event->mask & ~static_cast<std::uint32_t>(IN_MODIFY)) != 0) must_look_ = true;
            at += static_cast<ssize_t>(sizeof(struct inotify_event) + event->len);
        }
    }
}

void LogFollower::watch(const std::string& path, std::uint32_t mask) {
    // A failure (too many watches, gone again) leaves look() to find what happens.
    static_cast<void>(::inotify_add_watch(inotify_.get(), path.c_str(), mask));
}

// The directories in which a matching name can appear and, when they are not there, the
// nearest above that is.
void LogFollower::watch_directories(const std::string& glob) {
    std::string directory = parent_of(glob);
    for (;;) {
        bool any = false;
        for (const std::string& path : expand(directory, kDirectoriesMax))
            if (is_directory(path)) {
                watch(path, kDirectoryEvents);
                any = true;
            }
        const bool has_wildcard = directory.find_first_of("*?[") != std::string::npos;
        if (directory == "/" || (any && !has_wildcard)) return;
        directory = parent_of(directory);
    }
}

void LogFollower::retire(Followed& followed, const std::string& path, const Sink& sink) {
    const FollowedFile::Sink to = [&](std::string_view line) { sink(path, line); };
    followed.retired.push_back(std::move(followed.file));
    while (followed.retired.size() > kRetiredMax) {
        // Whoever writes to it still has had two rotations to notice.
        static_cast<void>(followed.retired.front().read(kTurn, to, counters_));
        followed.retired.front().finish(to, counters_);
        followed.retired.erase(followed.retired.begin());
    }
}

void LogFollower::look_at(const std::string& path, Start start, const Sink& sink) {
    struct stat file{};
    const auto known = files_.find(path);
    if (::stat(path.c_str(), &file) != 0) return;
    if (known != files_.end() && known->second.file.is(file.st_dev, file.st_ino)) return;
    if (known == files_.end() && files_.size() >= kFilesMax) {
        failures_[path] = "more than 256 files match";
        return;
    }
    watch(path, kFileEvents);
    Result<FollowedFile> opened = FollowedFile::open(path, start);
    if (!opened) {
        failures_[path] = opened.error().text();
        return;
    }
    failures_.erase(path);
    if (known != files_.end()) {
        ++counters_.rotations;
        retire(known->second, path, sink);
        known->second.file = std::move(*opened);
        return;
    }
    // One that was there before may have been written to until now.
    std::vector<FollowedFile> retired;
    if (const auto before = gone_.find(path); before != gone_.end()) {
        ++counters_.rotations;
        retired = std::move(before->second.retired);
        retired.push_back(std::move(before->second.file));
        gone_.erase(before);
    }
    files_.emplace(path, Followed{.file = std::move(*opened), .retired = std::move(retired)});
}

void LogFollower::look_at_all(const Sink& sink, bool is_first) {
    std::set<std::string> matching;
    failures_.clear();
    for (const LogPath& log : logs_) {
        watch_directories(log.glob);
        const Start start = !is_first ? Start::begin : log.tail ? Start::end : Start::recent;
        for (const std::string& path : expand(log.glob, 4 * kFilesMax)) {
            matching.insert(path);
            look_at(path, start, sink);
        }
    }
    for (auto at = files_.begin(); at != files_.end();) {
        if (matching.contains(at->first)) {
            ++at;
            continue;
        }
        if (gone_.size() < kFilesMax) gone_.insert_or_assign(at->first, std::move(at->second));
        at = files_.erase(at);
    }
}

// A file that is held keeps its blocks on the disk.
void LogFollower::let_go(const Sink& sink) {
    const auto is_done = [&](FollowedFile& file, const std::string& path) {
        if (file.idle_for() < kIdleLooks) return false;
        file.finish([&](std::string_view line) { sink(path, line); }, counters_);
        return true;
    };
    const auto clear = [&](Followed& followed, const std::string& path) {
        for (auto at = followed.retired.begin(); at != followed.retired.end();)
            at = is_done(*at, path) ? followed.retired.erase(at) : at + 1;
    };
    for (auto& [path, followed] : files_) clear(followed, path);
    for (auto at = gone_.begin(); at != gone_.end();) {
        clear(at->second, at->first);
        at = is_done(at->second.file, at->first) ? gone_.erase(at) : std::next(at);
    }
}

bool LogFollower::pump(std::size_t bytes, const Sink& sink) {
    drain_events();
    const auto now = std::chrono::steady_clock::now();
    if (must_look_ && now >= next_look_) {
        must_look_ = false;
        look_at_all(sink, is_first_);
        is_first_ = false;
        // In a directory with very many files looking takes its time, and whoever may make
        // files there could ask for it again and again: a twentieth of the time is spent so.
        const auto took = std::chrono::steady_clock::now() - now;
        if (took > kQuickLook) next_look_ = now + 20 * took;
    }
    if (must_let_go_) {
        must_let_go_ = false;
        let_go(sink);
    }
    struct Turn {
        const std::string& path;
        FollowedFile& file;
    };
    std::vector<std::vector<Turn>> turns;
    for (std::map<std::string, Followed>* group : {&gone_, &files_})
        for (auto& [path, followed] : *group) {
            // What was written before a rotation comes first.
            turns.emplace_back();
            for (FollowedFile& old : followed.retired) turns.back().push_back({path, old});
            turns.back().push_back({path, followed.file});
        }
    bool more = false;
    ++turns_;
    for (std::size_t i = 0; i < turns.size(); ++i)
        for (const Turn& turn : turns[(turns_ + i) % turns.size()]) {
            const FollowedFile::Sink to = [&](std::string_view line) { sink(turn.path, line); };
            const std::uint64_t before = counters_.bytes;
            const bool has_more =
                bytes == 0 || turn.file.read(std::min(bytes, kTurn), to, counters_);
            bytes -= std::min<std::size_t>(bytes, counters_.bytes - before);
            more = more || has_more;
            if (has_more) break;
        }
    return more;
}

std::vector<std::string> LogFollower::files() const {
    std::vector<std::string> paths;
    for (const auto& [path, followed] : files_) paths.push_back(path);
    return paths;
}

} // namespace sallyport::jail

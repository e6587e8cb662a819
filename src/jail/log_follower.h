// SPDX-License-Identifier: Apache-2.0
#pragma once
// Log files by their names and globs, followed for ever: not there yet, renamed and
// made anew, truncated in place, removed and back, more of them than before. inotify
// only says when to look; what is there is asked of the file system.
//
// Bounded: 256 files at a time, and each call reads no more than it is allowed to.
#include "jail/followed_file.h"
#include "jail/settings.h"

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::jail {

class LogFollower {
  public:
    static constexpr std::size_t kFilesMax = 256;
    using Sink = std::function<void(const std::string& path, std::string_view line)>;

    // Files that are there are read from what is recent, or from their end as their
    // LogPath says; those that come later from their beginning.
    [[nodiscard]] static Result<LogFollower> make(std::vector<LogPath> logs);

    // Readable when something has happened.
    [[nodiscard]] int fd() const { return inotify_.get(); }
    // Reads what is new, at most so many bytes. True when more is waiting: call again
    // without waiting for fd().
    [[nodiscard]] bool pump(std::size_t bytes, const Sink& sink);
    // Looks at the file system at the next pump() without having been told. To be called
    // every few seconds: for what inotify does not see (a mount, a directory far above
    // that comes), and to let go of files that were renamed or removed and have been
    // silent for three looks.
    void look() { must_look_ = must_let_go_ = true; }

    [[nodiscard]] std::vector<std::string> files() const; // that are followed now
    [[nodiscard]] const FollowCounters& counters() const { return counters_; }
    // Files that match and could not be opened or are too many, with the reason.
    [[nodiscard]] const std::map<std::string, std::string>& failures() const { return failures_; }

  private:
    LogFollower(Fd inotify, std::vector<LogPath> logs);
    struct Followed {
        FollowedFile file;
        std::vector<FollowedFile> retired; // renamed or removed; their writers may be at it still
    };
    void drain_events();
    void look_at_all(const Sink& sink, bool is_first);
    void look_at(const std::string& path, Start start, const Sink& sink);
    void retire(Followed& followed, const std::string& path, const Sink& sink);
    void let_go(const Sink& sink);
    void watch_directories(const std::string& glob);
    void watch(const std::string& path, std::uint32_t mask);

    Fd inotify_;
    std::vector<LogPath> logs_;
    std::map<std::string, Followed> files_;
    std::map<std::string, Followed> gone_; // removed, nothing in their place
    std::map<std::string, std::string> failures_;
    FollowCounters counters_;
    std::size_t turns_ = 0;                             // whose turn is first
    std::chrono::steady_clock::time_point next_look_{}; // not before, see pump()
    bool must_look_ = true;
    bool must_let_go_ = false;
    bool is_first_ = true;
};

} // namespace sallyport::jail

// SPDX-License-Identifier: Apache-2.0
#pragma once
// One open log file, read line by line as it grows. It is known by its descriptor, so
// that it can be read to its end after it was renamed or removed.
#include "base/fd.h"
#include "base/result.h"

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace sallyport::jail {

struct FollowCounters {
    std::uint64_t lines = 0;
    std::uint64_t bytes = 0;
    std::uint64_t too_long = 0;      // lines, dropped as they were read
    std::uint64_t skipped_bytes = 0; // of a log that grows faster than it is read
    std::uint64_t truncations = 0;
    std::uint64_t rotations = 0;
};

enum class Start : std::uint8_t {
    begin,  // of the file, wherever it ends
    recent, // the last 8 MiB, from the first whole line on
    end,
};

class FollowedFile {
  public:
    using Sink = std::function<void(std::string_view line)>;

    // Regular files only; never waits.
    [[nodiscard]] static Result<FollowedFile> open(const std::string& path, Start start);

    // Hands on whole lines, reading at most so many bytes. True when more is there
    // already. A file that was truncated is read from its beginning.
    [[nodiscard]] bool read(std::size_t bytes, const Sink& sink, FollowCounters& counters);
    // The last line, when it has no newline and none will come.
    void finish(const Sink& sink, FollowCounters& counters);

    [[nodiscard]] bool is(dev_t device, ino_t inode) const {
        return device == device_ && inode == inode_;
    }
    // How often this was asked since something was read.
    [[nodiscard]] unsigned idle_for() { return ++asked_; }

  private:
    FollowedFile(Fd fd, dev_t device, ino_t inode);
    void skip_to(off_t offset);
    void remember_tail();
    [[nodiscard]] bool was_truncated(off_t size) const;
    void take(std::string_view bytes, const Sink& sink, FollowCounters& counters);

    Fd fd_;
    dev_t device_;
    ino_t inode_;
    off_t offset_ = 0;
    unsigned asked_ = 0;
    std::string partial_;         // of a line whose end is not there yet
    bool is_dropping_ = false;    // up to the next newline
    std::array<char, 64> tail_{}; // what stood before offset_, to see it replaced
    std::size_t tail_size_ = 0;
};

} // namespace sallyport::jail

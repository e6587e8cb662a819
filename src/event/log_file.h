// SPDX-License-Identifier: Apache-2.0
#pragma once
// Events as JSON lines in a file that is rotated by size: events.jsonl, then
// events.jsonl.1 (newest) to .N. Lines are whole: one that does not fit on a
// full disk is taken back and counted. A file that was removed or moved away is
// made anew.
#include "base/fd.h"
#include "base/result.h"
#include "event/sink.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>

namespace sallyport {

struct LogFileOptions {
    std::string path;
    std::uint64_t max_bytes = 64u << 20; // of one file
    unsigned keep = 5;                   // rotated files beside it; 0: start over
    std::optional<gid_t> readers = {};   // who may read a file that is made; none: its directory's
};

class LogFile final : public EventSink {
  public:
    // Makes the file (0640, whatever the umask) but not its directory. Before the first command
    // line is written into it, a file becomes root's alone (0600), and stays so.
    [[nodiscard]] static Result<std::unique_ptr<LogFile>> open(LogFileOptions options);
    void take(const Event& event, const std::string& line) override;

    // Lines that could not be written since the last one that could. When it
    // works again the file itself says so with a `lost` line.
    [[nodiscard]] std::uint64_t lost() const { return lost_; }
    // All that could not be since it was opened.
    [[nodiscard]] std::uint64_t lost_ever() const { return lost_ever_; }
    // A change since the last call, to be logged once: the error when writing
    // began to fail, and that it works again (with the count that was lost).
    struct Change {
        std::optional<Error> error; // nullopt: it works again
        std::uint64_t lost = 0;
    };
    [[nodiscard]] std::optional<Change> take_change();

  private:
    explicit LogFile(LogFileOptions options) : options_(std::move(options)) {}
    Status reopen();
    [[nodiscard]] bool keep_to_root();
    Status write_event(const Event& event, const std::string& line);
    Status mend(int file, std::uint64_t size);
    Status rotate();
    Status ensure_room(std::size_t bytes);
    Status write_line(const std::string& line);
    bool is_roots_ = false; // file_ is 0600

    LogFileOptions options_;
    Fd file_;
    std::uint64_t size_ = 0;
    std::uint64_t lost_ = 0;
    std::uint64_t lost_ever_ = 0;
    bool failing_ = false;
    std::optional<Change> change_;
};

} // namespace sallyport

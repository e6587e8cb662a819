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
#include <utility>

namespace sallyport {

struct LogFileOptions {
    std::string path;
    std::uint64_t max_bytes = 64u << 20; // of one file
    unsigned keep = 5;                   // rotated files beside it; 0: start over
};

class LogFile final : public EventSink {
  public:
    // Makes the file (0640) but not its directory.
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
    Status mend(int file, std::uint64_t size);
    Status rotate();
    Status ensure_room(std::size_t bytes);
    Status write_line(const std::string& line);

    LogFileOptions options_;
    Fd file_;
    std::uint64_t size_ = 0;
    std::uint64_t lost_ = 0;
    std::uint64_t lost_ever_ = 0;
    bool failing_ = false;
    std::optional<Change> change_;
};

} // namespace sallyport

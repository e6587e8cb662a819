// SPDX-License-Identifier: Apache-2.0
#include "cli/event_log.h"

#include "base/fd.h"
#include "event/json.h"
#include "event/names.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <set>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>
#include <zlib.h>

namespace sallyport {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFilesMost = 1000; // open at once
constexpr unsigned kGapsMost = 16;       // of .N, where somebody removed one
constexpr std::size_t kLineMost = 1 << 20;
constexpr unsigned kBuffer = 1 << 16;
constexpr std::size_t kTimeLength = 27; // 2026-01-02T03:04:05.678901Z

// A file by zlib, which reads what is not compressed as it is.
class LogFileReader {
  public:
    explicit LogFileReader(Fd fd) : file_(gzdopen(fd.get(), "rbe")) {
        if (!file_) return;
        static_cast<void>(fd.release());
        gzbuffer(file_.get(), kBuffer);
    }
    explicit operator bool() const { return file_ != nullptr; }
    // Without keeping what is longer than any line of ours.
    bool next(std::string& line) {
        line.clear();
        for (int c = gzgetc(file_.get()); c >= 0; c = gzgetc(file_.get())) {
            if (c == '\n') return true;
            if (line.size() < kLineMost) line += static_cast<char>(c);
        }
        return !line.empty();
    }
    // Was it read to its end?
    [[nodiscard]] bool is_whole() const {
        int error = Z_OK;
        gzerror(file_.get(), &error);
        return error == Z_OK || error == Z_STREAM_END;
    }

  private:
    struct Close {
        void operator()(gzFile file) const { gzclose(file); }
    };
    std::unique_ptr<gzFile_s, Close> file_;
};

// The compressions that zlib does not know.
bool is_beyond_us(std::string_view name) {
    constexpr std::array<std::string_view, 3> kEndings{".xz", ".zst", ".bz2"};
    return std::ranges::any_of(kEndings, [&](auto ending) { return name.ends_with(ending); });
}

// "events.jsonl-20260102-1767312000", as logrotate names them, and "events.jsonl.3.gz".
std::vector<std::string> moved_away(const std::string& path) {
    const fs::path log(path);
    const std::string front = log.filename().string();
    const fs::path home = log.has_parent_path() ? log.parent_path() : fs::path(".");
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator at(home, error), end; !error && at != end; at.increment(error)) {
        const std::string name = at->path().filename();
        const bool is_packed = name.ends_with(".gz") || is_beyond_us(name);
        if (name.starts_with(front + "-") || (name.starts_with(front + ".") && is_packed))
            names.push_back(at->path());
    }
    std::ranges::sort(names);
    // What is being packed stands there twice, and is whole in the one that is not packed.
    std::erase_if(names, [](const std::string& name) {
        std::error_code ignored;
        return name.ends_with(".gz") && fs::exists(name.substr(0, name.size() - 3), ignored);
    });
    return names;
}

class Reading {
  public:
    Reading(WallTime from, WallTime to, const std::function<void(const Event&)>& take)
        : from_(timestamp_text(from)), to_(timestamp_text(to)), take_(take) {}

    void file(LogFileReader& in) {
        for (std::string line; in.next(line);) take(line);
        if (!in.is_whole()) read.unread_files++;
    }
    void passed_over(WallTime last_written) { reach(timestamp_text(last_written)); }
    LogRead read;

  private:
    void reach(std::string_view when) {
        if (!oldest_.empty() && when >= oldest_) return;
        const std::optional<WallTime> time = parse_timestamp(when);
        if (!time) return;
        oldest_ = when;
        read.reaches_back = *time;
    }
    void take(const std::string& line) {
        const std::size_t at = line.find("\"ts\":\"");
        if (at == std::string::npos) {
            read.unread_lines++;
            return;
        }
        // Times of one form order as text; most of an old log ends here.
        const std::string_view when = std::string_view(line).substr(at + 6, kTimeLength);
        reach(when);
        if (when < from_ || when >= to_) return;
        const Result<Event> event = event_from_json(line);
        if (event)
            take_(*event);
        else
            read.unread_lines++;
    }

    std::string from_, to_, oldest_;
    const std::function<void(const Event&)>& take_;
};

// The files of a log, each once.
class LogFiles {
  public:
    LogFiles(WallTime from, Reading& reading) : from_(from), reading_(reading) {}

    // False where there is none. Whoever is named by hand may be a pipe.
    bool add(const std::string& path, bool by_hand = false) {
        const int patience = by_hand ? 0 : O_NONBLOCK; // a pipe that nobody writes into
        Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | patience));
        struct stat about{};
        if (!fd || ::fstat(fd.get(), &about) != 0) {
            if (errno == ENOENT || errno == ENOTDIR) return false;
            ++reading_.read.unread_files;
            return true;
        }
        if (!by_hand && !S_ISREG(about.st_mode)) return true;
        if (!seen_.insert({about.st_dev, about.st_ino}).second) return true;
        reading_.read.has_log = true;
        const WallTime written(std::chrono::seconds(about.st_mtim.tv_sec));
        if (!by_hand && written + std::chrono::seconds(1) < from_) {
            reading_.passed_over(written);
            return true;
        }
        LogFileReader file(std::move(fd));
        if (file && !is_beyond_us(path) && files_.size() < kFilesMost)
            files_.push_back(std::move(file));
        else
            ++reading_.read.unread_files;
        return true;
    }
    void read() {
        for (LogFileReader& file : files_) reading_.file(file);
    }

  private:
    WallTime from_;
    Reading& reading_;
    std::set<std::pair<dev_t, ino_t>> seen_;
    std::vector<LogFileReader> files_;
};

} // namespace

LogRead read_event_log(const std::string& path, WallTime from, WallTime to,
                       const std::function<void(const Event&)>& take) {
    // All are opened before one is read: who rotates meanwhile renames what is open already.
    Reading reading(from, to, take);
    LogFiles files(from, reading);
    files.add(path, true);
    for (unsigned number = 1, missing = 0; missing < kGapsMost; ++number)
        missing = files.add(fmt::format("{}.{}", path, number)) ? 0 : missing + 1;
    for (const std::string& name : moved_away(path)) files.add(name);
    files.read();
    return reading.read;
}

} // namespace sallyport

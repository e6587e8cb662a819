// SPDX-License-Identifier: Apache-2.0
#include "cli/event_log.h"

#include "event/json.h"
#include "event/names.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>
#include <zlib.h>

namespace sallyport {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kFilesMost = 1000;
constexpr std::size_t kLineMost = 1 << 20;
constexpr unsigned kBuffer = 1 << 16;
constexpr std::size_t kTimeLength = 27; // 2026-01-02T03:04:05.678901Z

using Inode = std::pair<dev_t, ino_t>;

Inode inode_of(const std::string& path) {
    struct stat info{};
    return stat(path.c_str(), &info) == 0 ? Inode{info.st_dev, info.st_ino} : Inode{};
}

// A file by zlib, which reads what is not compressed as it is.
class LogFileReader {
  public:
    explicit LogFileReader(const std::string& path) : file_(gzopen(path.c_str(), "rbe")) {
        if (file_) gzbuffer(file_.get(), kBuffer);
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

// Which file it was, so that it is known again by the name that somebody gives it meanwhile.
Inode open_current(const std::string& path, std::vector<LogFileReader>& files) {
    Inode before, after = inode_of(path);
    do {
        before = after;
        LogFileReader file(path);
        after = inode_of(path);
        if (before == after && file) files.push_back(std::move(file));
    } while (before != after);
    return after;
}

// The compressions that zlib does not know.
bool is_beyond_us(std::string_view name) {
    constexpr std::array<std::string_view, 3> kEndings{".xz", ".zst", ".bz2"};
    return std::ranges::any_of(kEndings, [&](auto ending) { return name.ends_with(ending); });
}

// "events.jsonl-20260102-1767312000", as logrotate names them, and "events.jsonl.3.gz"; those
// that were written in the span or later.
std::vector<std::string> moved_away(const std::string& path, WallTime from) {
    const fs::path log(path);
    const std::string front = log.filename().string();
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator at(log.parent_path(), error), end; !error && at != end;
         at.increment(error)) {
        const std::string name = at->path().filename();
        const bool is_packed = name.ends_with(".gz") || is_beyond_us(name);
        if (!name.starts_with(front + "-") && !(name.starts_with(front + ".") && is_packed))
            continue;
        struct stat about{};
        if (::stat(at->path().c_str(), &about) != 0 || !S_ISREG(about.st_mode)) continue;
        if (WallTime(std::chrono::seconds(about.st_mtim.tv_sec + 1)) >= from)
            names.push_back(at->path());
    }
    std::ranges::sort(names);
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
    LogRead read;

  private:
    void take(const std::string& line) {
        const std::size_t at = line.find("\"ts\":\"");
        if (at == std::string::npos) {
            read.unread_lines++;
            return;
        }
        // Times of one form order as text; most of an old log ends here.
        const std::string_view when = std::string_view(line).substr(at + 6, kTimeLength);
        if (when < from_ || when >= to_) return;
        const Result<Event> event = event_from_json(line);
        if (event)
            take_(*event);
        else
            read.unread_lines++;
    }

    std::string from_, to_;
    const std::function<void(const Event&)>& take_;
};

} // namespace

LogRead read_event_log(const std::string& path, WallTime from, WallTime to,
                       const std::function<void(const Event&)>& take) {
    // All are opened before one is read: who rotates meanwhile renames what is open already.
    std::vector<LogFileReader> files;
    const Inode current = open_current(path, files);
    for (unsigned number = 1; number <= kFilesMost; number++) {
        LogFileReader old(fmt::format("{}.{}", path, number));
        if (!old) break;
        files.push_back(std::move(old));
    }
    Reading reading(from, to, take);
    for (const std::string& name : moved_away(path, from)) {
        if (is_beyond_us(name)) {
            reading.read.unread_files++;
            continue;
        }
        if (files.size() > kFilesMost || inode_of(name) == current) continue;
        LogFileReader file(name);
        if (file)
            files.push_back(std::move(file));
        else
            reading.read.unread_files++;
    }
    reading.read.has_log = !files.empty();
    for (LogFileReader& file : files) reading.file(file);
    return reading.read;
}

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
// The event log of two weeks, read in bounded room.
#include "cli/drift_review.h"
#include "event/json.h"
#include "event/names.h"
#include "sallyport/abi/types.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <string_view>
#include <sys/stat.h>
#include <utility>
#include <vector>

namespace sallyport {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kNames = 16384; // a ranking's room: some 2 MiB
constexpr std::size_t kTop = 10;
constexpr std::size_t kHookLines = 20;
constexpr std::size_t kOrigins = 256;
constexpr unsigned kFilesMost = 1000;
constexpr std::size_t kLineMost = 1 << 20;
constexpr std::size_t kTimeLength = 27; // 2026-01-02T03:04:05.678901Z

struct Ways {
    drift::Ranking now{kNames}, before{kNames};
};

// A host of IPv6 has all of its /64.
std::string source_of(const Address& address) {
    return to_string(prefix_of(address, address.is_v4() ? 128 : 64));
}

std::string destination_of(const Event& event) {
    std::string name = event.dst ? to_string(*event.dst) : "?";
    if (event.dst_port) name += fmt::format(" port {}", *event.dst_port);
    const std::string& who = event.unit.empty() ? event.comm : event.unit;
    return who.empty() ? name : name + ", by " + who;
}

class LogReader {
  public:
    LogReader(const LogSpan& span, drift::Review& review) : span_(span), review_(review) {}

    void file(std::ifstream& in) {
        for (std::string line; next_line(in, line);) take(line);
    }
    void finish() {
        rank(arriving_, review_.arriving);
        rank(leaving_, review_.leaving);
    }

  private:
    // Without keeping what is longer than any line of ours.
    bool next_line(std::ifstream& in, std::string& line) {
        line.clear();
        for (int c = in.get(); c != std::char_traits<char>::eof(); c = in.get()) {
            if (c == '\n') return true;
            if (line.size() < kLineMost) line += static_cast<char>(c);
        }
        return !line.empty();
    }
    void take(const std::string& line) {
        const std::size_t at = line.find("\"ts\":\"");
        if (at == std::string::npos) {
            review_.unread++;
            return;
        }
        const std::string when = line.substr(at + 6, kTimeLength);
        if (when < span_.before || when > span_.to) return; // most of an old log ends here
        const Result<Event> event = event_from_json(line);
        if (!event) {
            review_.unread++;
            return;
        }
        if (review_.reaches_back.empty() || when < review_.reaches_back)
            review_.reaches_back = when;
        const bool is_now = when >= span_.from;
        if (event->kind == EventKind::drop || event->kind == EventKind::would_drop)
            drop(*event, is_now);
        if (!is_now) return;
        review_.lines++;
        if (event->kind == EventKind::lost)
            review_.lost[event->lost_by ? to_string(*event->lost_by) : "unknown"] += event->count;
        if (event->kind == EventKind::hook) hook(*event, when);
        const std::uint64_t networks = event->network || event->src ? 1 : event->count;
        if (event->kind == EventKind::ban) {
            review_.bans_made += networks;
            count(review_.bans_by, "by " + event->origin, networks);
        }
        if (event->kind == EventKind::unban)
            count(review_.bans_ended, "by " + event->origin, networks);
    }
    void drop(const Event& event, bool is_now) {
        const bool leaves = event.direction == SP_EGRESS;
        if (!leaves && !event.src) return;
        Ways& ways = leaves ? leaving_ : arriving_;
        (is_now ? ways.now : ways.before)
            .add(leaves ? destination_of(event) : source_of(*event.src), event.repeats);
    }
    void hook(const Event& event, const std::string& when) {
        const bool tells = event.state == EventState::lost || event.state == EventState::restored;
        if (tells && hooks_++ < kHookLines)
            review_.changes.push_back(when.substr(0, 16) + " hook " + to_string(*event.state) +
                                      ": " + event.detail);
    }
    static void count(std::map<std::string, std::uint64_t>& counts, const std::string& name,
                      std::uint64_t more) {
        const bool has_room = counts.size() < kOrigins || counts.contains(name);
        counts[has_room ? name : "by others"] += more;
    }
    static void rank(const Ways& ways, drift::Drops& drops) {
        drops.top = ways.now.top(kTop, ways.before);
        drops.total = ways.now.total();
        drops.before = ways.before.total();
        drops.short_by = ways.now.short_by();
    }

    const LogSpan& span_;
    drift::Review& review_;
    Ways arriving_, leaving_;
    std::size_t hooks_ = 0;
};

using Inode = std::pair<dev_t, ino_t>;

Inode inode_of(const std::string& path) {
    struct stat info{};
    return stat(path.c_str(), &info) == 0 ? Inode{info.st_dev, info.st_ino} : Inode{};
}

// Which file it was, so that it is known again by the name that somebody gives it meanwhile.
Inode open_current(const std::string& path, std::vector<std::ifstream>& files) {
    Inode before, after = inode_of(path);
    std::ifstream file;
    do {
        before = after;
        file = std::ifstream(path, std::ios::binary);
        after = inode_of(path);
    } while (before != after);
    files.push_back(std::move(file));
    return after;
}

bool is_compressed(std::string_view name) {
    constexpr std::array<std::string_view, 4> kEndings{".gz", ".xz", ".zst", ".bz2"};
    return std::ranges::any_of(kEndings, [&](auto ending) { return name.ends_with(ending); });
}

// "events.jsonl-20260102-1767312000", as logrotate names them; those that were written within
// the span or later.
std::vector<std::string> moved_away(const std::string& path) {
    const fs::path log(path);
    const std::string front = log.filename().string();
    const auto least = fs::file_time_type::clock::now() - std::chrono::weeks(2);
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator at(log.parent_path(), error), end; !error && at != end;
         at.increment(error)) {
        const std::string name = at->path().filename();
        const bool is_of_it =
            name.starts_with(front + "-") || (name.starts_with(front + ".") && is_compressed(name));
        std::error_code gone;
        if (is_of_it && at->last_write_time(gone) >= least && !gone) names.push_back(at->path());
    }
    std::ranges::sort(names);
    return names;
}

} // namespace

void read_log(const std::string& path, const LogSpan& span, drift::Review& review) {
    // All are opened before one is read: who rotates meanwhile renames what is open already.
    std::vector<std::ifstream> files;
    const Inode current = open_current(path, files);
    for (unsigned number = 1; number <= kFilesMost; number++) {
        std::ifstream old(fmt::format("{}.{}", path, number), std::ios::binary);
        if (!old) break;
        files.push_back(std::move(old));
    }
    for (const std::string& name : moved_away(path)) {
        if (is_compressed(name)) {
            review.compressed++;
            continue;
        }
        if (files.size() > kFilesMost || inode_of(name) == current) continue;
        files.emplace_back(name, std::ios::binary);
    }
    LogReader reader(span, review);
    for (std::ifstream& file : files)
        if (file) reader.file(file);
    reader.finish();
}

} // namespace sallyport

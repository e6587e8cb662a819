// SPDX-License-Identifier: Apache-2.0
#include "daemon/process_names.h"

#include "base/small_file.h"
#include "daemon/gpu_devices.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <unistd.h>

namespace sallyport {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kThreadsLookedAt = 64;
constexpr std::size_t kCommandLineMost = 4096; // bytes
// Start times are in ticks, and the clocks are read one after the other.
constexpr std::chrono::seconds kClockSlack{1};
constexpr std::chrono::seconds kLookAgain{10};
constexpr std::chrono::minutes kRemembered{1};

std::string without_newline(std::string text) {
    if (text.ends_with('\n')) text.pop_back();
    return text;
}

std::string comm_in(const std::string& directory) {
    return without_newline(read_small_file(directory + "/comm").value_or(""));
}

struct Stat {
    std::uint32_t parent = 0;
    std::uint64_t start_ticks = 0;
};

// Fields 4 and 22 of /proc/PID/stat; the second is in parentheses and may hold anything.
std::optional<Stat> read_stat(const std::string& process) {
    const std::string stat = read_small_file(process + "/stat").value_or("");
    const auto number_at = [&](std::size_t at, auto& value) {
        const char* begin = stat.data() + at + 1;
        return std::from_chars(begin, stat.data() + stat.size(), value).ec == std::errc{};
    };
    Stat read;
    std::size_t at = stat.rfind(')');
    for (int field = 2; field < 22 && at != std::string::npos; ++field) {
        at = stat.find(' ', at + 1);
        if (field == 3 && at != std::string::npos && !number_at(at, read.parent))
            return std::nullopt;
    }
    if (at == std::string::npos || !number_at(at, read.start_ticks)) return std::nullopt;
    return read;
}

WallTime wall_of(std::uint64_t ticks, WallTime boot) {
    const auto per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    return boot + std::chrono::seconds{ticks / per_second} +
           std::chrono::microseconds{ticks % per_second * 1'000'000 / per_second};
}

bool is_plain(std::string_view word) {
    constexpr std::string_view kPlain = "_@%+=:,./-";
    return !word.empty() && std::ranges::all_of(word, [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               kPlain.find(c) != std::string_view::npos;
    });
}

} // namespace

std::string command_line_of(std::string_view arguments) {
    std::string line;
    while (!arguments.empty()) {
        const std::size_t end = std::min(arguments.find('\0'), arguments.size());
        const std::string_view word = arguments.substr(0, end);
        arguments.remove_prefix(std::min(end + 1, arguments.size()));
        if (!line.empty()) line += ' ';
        if (is_plain(word)) {
            line += word;
            continue;
        }
        line += '\'';
        for (const char c : word) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
        line += '\'';
    }
    return line;
}

const ProcessSeen* ProcessNames::find(const Event& event) {
    if (!event.pid) return nullptr;
    const std::string process = fmt::format("{}/{}", sources_.proc_root, *event.pid);
    const auto now = sources_.now();
    const auto known = known_.find(*event.pid);
    const bool is_known = known != known_.end() && known->second.comm == event.comm;
    const std::optional<Stat> stat = read_stat(process);
    if (!stat) // gone: the number is not given out again as fast
        return is_known && now - known->second.alive < kRemembered ? &known->second.seen : nullptr;
    if (is_known && known->second.start_ticks == stat->start_ticks) {
        known->second.alive = now;
        if (now - known->second.looked >= kLookAgain) {
            known->second.looked = now;
            look(known->second.seen, process);
        }
        return &known->second.seen;
    }
    if (sources_.boot_time &&
        wall_of(stat->start_ticks, sources_.boot_time()) > event.at + kClockSlack)
        return nullptr;
    if (!event.comm.empty() && !has_thread_named(process, event.comm)) return nullptr;

    Known fresh{
        .start_ticks = stat->start_ticks,
        .comm = event.comm,
        .alive = now,
        .looked = now,
        .seen = {
            .exe = {}, .command_line = {}, .parent = stat->parent, .parent_comm = {}, .gpus = {}}};
    if (stat->parent != 0)
        fresh.seen.parent_comm = comm_in(fmt::format("{}/{}", sources_.proc_root, stat->parent));
    look(fresh.seen, process);
    const std::optional<Stat> after = read_stat(process);
    if (!after || after->start_ticks != stat->start_ticks) return nullptr; // it ended meanwhile
    if (known == known_.end() && known_.size() >= sources_.max_entries) known_.clear();
    return &(known_[*event.pid] = std::move(fresh)).seen;
}

// What may change while it lives. The parent is not among it: that it has gone is no news.
void ProcessNames::look(ProcessSeen& seen, const std::string& process) const {
    seen.exe = read_link(process + "/exe");
    if (command_lines_)
        seen.command_line =
            command_line_of(read_small_file(process + "/cmdline", kCommandLineMost).value_or(""));
    const GpuDevices devices(read_small_file(sources_.proc_root + "/devices").value_or(""));
    seen.gpus = devices.held_by(process);
}

void ProcessNames::tell_command_lines(bool wanted) {
    if (wanted != command_lines_) known_.clear();
    command_lines_ = wanted;
}

// A thread may have a name of its own, and the kernel tells that of the thread.
bool ProcessNames::has_thread_named(const std::string& process, const std::string& comm) const {
    if (comm_in(process) == comm) return true;
    std::error_code error;
    fs::directory_iterator at(process + "/task", error);
    for (std::size_t i = 0; !error && at != fs::directory_iterator() && i < kThreadsLookedAt; ++i) {
        if (comm_in(at->path().string()) == comm) return true;
        at.increment(error);
    }
    return false;
}

} // namespace sallyport

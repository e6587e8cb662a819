// SPDX-License-Identifier: Apache-2.0
#pragma once
// What /proc says of the process behind an event. A number is given out again, and a process
// is often gone when its event comes: what was seen is remembered with the time at which the
// process began.
#include "event/event.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sallyport {

struct ProcessSeen {
    std::string exe;               // path; "" of a kernel thread
    std::string command_line;      // "" unless it is asked for
    std::uint32_t parent = 0;      // 0: none
    std::string parent_comm;       // "" when it had gone
    std::vector<std::string> gpus; // as gpu_devices.h names them
};

struct ProcessSources {
    std::string proc_root = "/proc";
    std::function<WallTime()> boot_time; // when the machine started, by today's clock
    std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
    std::size_t max_entries = 4096; // when full all are forgotten
};

// The arguments of /proc/PID/cmdline in one line, quoted as for a shell where they need it.
[[nodiscard]] std::string command_line_of(std::string_view arguments);

class ProcessNames {
  public:
    explicit ProcessNames(ProcessSources sources) : sources_(std::move(sources)) {}
    // The arguments of a command may hold secrets: they are read only when this is set.
    void tell_command_lines(bool wanted);

    // Of the event's process; nullptr when it is gone and was not seen within a minute, or
    // when its number seems to belong to another by now: that began after the event, or has
    // no thread of the event's comm. Valid until the next call.
    [[nodiscard]] const ProcessSeen* find(const Event& event);

  private:
    struct Known {
        std::uint64_t start_ticks = 0;
        std::string comm;
        std::chrono::steady_clock::time_point alive{};  // when it was last seen
        std::chrono::steady_clock::time_point looked{}; // when it was last looked at
        ProcessSeen seen;
    };
    [[nodiscard]] bool has_thread_named(const std::string& process, const std::string& comm) const;
    void look(ProcessSeen& seen, const std::string& process) const;

    ProcessSources sources_;
    bool command_lines_ = false;
    std::unordered_map<std::uint32_t, Known> known_;
};

} // namespace sallyport

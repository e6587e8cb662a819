// SPDX-License-Identifier: Apache-2.0
#pragma once
// A /proc of the test's own.
#include "daemon/process_names.h"
#include "support/events.h"
#include "support/temp_dir.h"

#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <string>
#include <unistd.h>

namespace sallyport::test {

class FakeProc {
  public:
    // With one process, of parent 1.
    FakeProc(std::uint32_t pid, const std::string& comm, std::uint64_t start_ticks) : pid_(pid) {
        std::filesystem::create_directories(process() + "/fd");
        write("stat",
              fmt::format("{} ({}) S 1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 {} 1 2 3\n", pid,
                          comm, start_ticks));
        write("comm", comm + "\n");
        write(fmt::format("task/{}/comm", pid), comm + "\n");
        std::filesystem::create_symlink("/usr/bin/python3.11", process() + "/exe");
    }
    void write(const std::string& name, const std::string& text) const {
        write_at(process() + "/" + name, text);
    }
    // A file of /proc itself: "devices", "1/comm".
    void write_root(const std::string& name, const std::string& text) const {
        write_at(root / name, text);
    }
    void link(const std::string& name, const std::string& target) const {
        std::filesystem::remove(process() + "/" + name);
        std::filesystem::create_symlink(target, process() + "/" + name);
    }
    void end() const { std::filesystem::remove_all(process()); }
    [[nodiscard]] std::string process() const { return root / std::to_string(pid_); }
    [[nodiscard]] ProcessSources sources(WallTime boot) const {
        ProcessSources its;
        its.proc_root = root / ".";
        its.boot_time = [boot] { return boot; };
        its.now = [this] { return now; };
        its.max_entries = 4;
        return its;
    }
    TempDir root;
    std::chrono::steady_clock::time_point now{std::chrono::hours(1)};

  private:
    static void write_at(const std::string& path, const std::string& text) {
        std::filesystem::create_directories(std::filesystem::path(path).parent_path());
        std::ofstream(path) << text;
    }
    std::uint32_t pid_;
};

inline Event by_process(std::uint32_t pid, const std::string& comm) {
    Event event = exfil_attempt();
    event.exe.clear();
    event.pid = pid;
    event.comm = comm;
    return event;
}

} // namespace sallyport::test

// SPDX-License-Identifier: Apache-2.0
#include "cli/run_tool.h"

#include "base/fd.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sallyport {
namespace {

constexpr std::chrono::seconds kPatience{10};
constexpr std::size_t kMost = 64u << 20;

// All that comes within the time; nullopt when it did not end well, or not in time.
std::optional<std::string> gather(int from, pid_t child) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    std::string text;
    std::array<char, 65536> part;
    bool is_whole = false;
    while (!is_whole && text.size() <= kMost) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            until - std::chrono::steady_clock::now());
        pollfd ready{.fd = from, .events = POLLIN, .revents = 0};
        if (left.count() <= 0 || poll(&ready, 1, static_cast<int>(left.count())) <= 0) break;
        const ssize_t size = read(from, part.data(), part.size());
        if (size < 0) break;
        is_whole = size == 0;
        text.append(part.data(), static_cast<std::size_t>(size));
    }
    if (!is_whole) kill(child, SIGKILL);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!is_whole || !WIFEXITED(status) || WEXITSTATUS(status) != 0) return std::nullopt;
    return text;
}

} // namespace

std::string find_tool(const std::string& name) {
    for (const char* directory : {"/usr/sbin/", "/sbin/", "/usr/bin/", "/usr/local/sbin/"})
        if (access((directory + name).c_str(), X_OK) == 0) return directory + name;
    return {};
}

std::optional<std::string> output_of_tool(std::vector<std::string> command) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
    const Fd out(ends[0]);
    Fd in(ends[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, in.get(), 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    std::vector<char*> argv;
    for (std::string& word : command) argv.push_back(word.data());
    argv.push_back(nullptr);
    std::string locale = "LC_ALL=C";
    std::array<char*, 2> environment{locale.data(), nullptr};
    pid_t child = 0;
    const int error =
        posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environment.data());
    posix_spawn_file_actions_destroy(&actions);
    in.reset();
    if (error != 0) return std::nullopt;
    return gather(out.get(), child);
}

} // namespace sallyport

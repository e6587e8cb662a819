// SPDX-License-Identifier: Apache-2.0
#include "kernel/socket_holders.h"

#include "base/fd.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace sallyport {
namespace {

using Directory = std::unique_ptr<DIR, decltype([](DIR* directory) { closedir(directory); })>;

template <typename Number> std::optional<Number> number_of(std::string_view text) {
    Number number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// The names in a directory that are numbers.
std::optional<std::vector<std::uint32_t>> numbers_in(const std::string& path) {
    const Directory directory(opendir(path.c_str()));
    if (!directory) return std::nullopt;
    std::vector<std::uint32_t> found;
    while (const dirent* entry = readdir(directory.get()))
        if (const auto number = number_of<std::uint32_t>(entry->d_name)) found.push_back(*number);
    std::ranges::sort(found);
    return found;
}

// At most `most` bytes; "" when it cannot be read, for a process that goes as well.
std::string read_start(const std::string& path, std::size_t most) {
    const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::string text;
    std::array<char, 4096> part;
    while (file && text.size() < most) {
        const ssize_t size = read(file.get(), part.data(), part.size());
        if (size <= 0) break;
        text.append(part.data(), static_cast<std::size_t>(size));
    }
    text.resize(std::min(text.size(), most));
    return text;
}

std::string link_of(const std::string& path) {
    std::array<char, 4096> target;
    const ssize_t size = readlink(path.c_str(), target.data(), target.size());
    return size < 0 ? std::string() : std::string(target.data(), static_cast<std::size_t>(size));
}

// "socket:[12345]"
std::optional<std::uint64_t> socket_inode(std::string_view target) {
    constexpr std::string_view kBefore = "socket:[";
    if (!target.starts_with(kBefore) || !target.ends_with(']')) return std::nullopt;
    target.remove_prefix(kBefore.size());
    target.remove_suffix(1);
    return number_of<std::uint64_t>(target);
}

std::vector<std::string> arguments(const std::string& text) {
    std::vector<std::string> argv;
    for (std::size_t at = 0; at < text.size() && argv.size() < kArgumentsMax;) {
        const std::size_t end = std::min(text.find('\0', at), text.size());
        argv.push_back(text.substr(at, std::min(end - at, kArgumentMax)));
        at = end + 1;
    }
    return argv;
}

// "0::/system.slice/ollama.service" among the lines.
std::string cgroup2_of(const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view line = std::string_view(text).substr(at, end - at);
        if (line.starts_with("0::")) return std::string(line.substr(3));
        at = end + 1;
    }
    return {};
}

} // namespace

ProcessFacts process_facts(std::uint32_t pid, const std::string& proc_root) {
    const std::string process = proc_root + "/" + std::to_string(pid);
    struct stat about{};
    if (stat(process.c_str(), &about) != 0) return {};
    ProcessFacts facts{.pid = pid,
                       .comm = read_start(process + "/comm", 64),
                       .exe = link_of(process + "/exe"),
                       .argv = arguments(read_start(process + "/cmdline", 1 << 16)),
                       .uid = about.st_uid,
                       .cgroup = cgroup2_of(read_start(process + "/cgroup", 1 << 16))};
    if (facts.comm.ends_with('\n')) facts.comm.pop_back();
    return facts;
}

std::set<std::uint64_t> socket_inodes(const std::string& process_dir) {
    std::set<std::uint64_t> inodes;
    const std::string held = process_dir + "/fd";
    for (const std::uint32_t number : numbers_in(held).value_or(std::vector<std::uint32_t>{}))
        if (const auto inode = socket_inode(link_of(held + "/" + std::to_string(number))))
            inodes.insert(*inode);
    return inodes;
}

Result<SocketHolders> find_socket_holders(const std::set<std::uint64_t>& inodes,
                                          const std::string& proc_root) {
    const auto pids = numbers_in(proc_root);
    if (!pids) return fail_errno(errno, "reading " + proc_root);
    SocketHolders found;
    for (const std::uint32_t pid : *pids) {
        const std::string held = proc_root + "/" + std::to_string(pid) + "/fd";
        const auto numbers = numbers_in(held);
        if (!numbers) {
            if (errno == EACCES || errno == EPERM) ++found.unread;
            continue;
        }
        for (const std::uint32_t number : *numbers) {
            const auto inode = socket_inode(link_of(held + "/" + std::to_string(number)));
            if (!inode || !inodes.contains(*inode)) continue;
            std::vector<std::uint32_t>& holders = found.pids[*inode];
            if (holders.empty() || holders.back() != pid) holders.push_back(pid);
            if (!found.processes.contains(pid))
                found.processes.emplace(pid, process_facts(pid, proc_root));
        }
    }
    std::erase_if(found.processes, [](const auto& one) { return one.second.pid == 0; });
    return found;
}

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
#pragma once
// Who holds a socket: /proc/*/fd by inode, and what /proc says of such a process. For
// reading only; a process chooses its own comm and argv.
#include "base/result.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace sallyport {

struct ProcessFacts {
    std::uint32_t pid = 0;
    std::string comm;
    std::string exe;               // path; "" when it may not be read, or is a kernel thread's
    std::vector<std::string> argv; // at most kArgumentsMax, each at most kArgumentMax bytes
    std::uint32_t uid = 0;         // effective
    std::string cgroup;            // path in cgroup2; "" when it is in none
};

inline constexpr std::size_t kArgumentsMax = 64;
inline constexpr std::size_t kArgumentMax = 1024;

struct SocketHolders {
    std::map<std::uint64_t, std::vector<std::uint32_t>> pids; // by inode; ascending
    std::map<std::uint32_t, ProcessFacts> processes;          // of those pids
    std::size_t unread = 0; // processes that live, whose descriptors we may not see
};

// Of these inodes. What ends while it is read is left out.
[[nodiscard]] Result<SocketHolders> find_socket_holders(const std::set<std::uint64_t>& inodes,
                                                        const std::string& proc_root = "/proc");

// Those that one process holds; none when it has gone, or may not be seen.
[[nodiscard]] std::set<std::uint64_t> socket_inodes(const std::string& process_dir);

// Of one process; pid 0 in the answer when it has gone.
[[nodiscard]] ProcessFacts process_facts(std::uint32_t pid, const std::string& proc_root = "/proc");

} // namespace sallyport

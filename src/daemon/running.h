// SPDX-License-Identifier: Apache-2.0
#pragma once
// Connections that are older than the policy: which of them it would not have let
// open. A pure function of what the kernel listed.
//
// Only what surely is refused is named here. Where the sockets alone do not tell
// (an address on several interfaces, a closed socket's owner) the connection is
// let be, and the programs, which see its packets, judge it.
#include "kernel/interfaces.h"
#include "kernel/sockets.h"
#include "policy/evaluate.h"
#include "policy/policy.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

// What else of the sockets' network namespace the judgement needs.
struct RunningWorld {
    std::vector<Interface> interfaces;                // of that namespace, loopback too
    std::function<bool(const Interface&)> is_guarded; // outside the host's namespace: none is
    // Path of a cgroup below the hierarchy's root; nullopt when it is gone.
    std::function<std::optional<std::string>(std::uint64_t id)> cgroup_path;
};

struct RunningConnection {
    SocketInfo socket;
    Direction direction = Direction::ingress; // ingress or egress
    Verdict verdict;                          // no_rule or denied
    std::string interface;                    // "" when it is not known
    std::string who; // egress: "uid 1001, /system.slice/rag.service"; else ""
};

// `sockets` as list_tcp() gives them, listeners included: a connection whose local
// port a listener holds came in. Returns what is to be cut, in the order given;
// TCP only. Never judged: loopback, listeners, what has ended, what came in by an
// interface that is not guarded, what a process outside [host] cgroup opened.
[[nodiscard]] std::vector<RunningConnection>
judge_running(const Policy& policy, std::span<const SocketInfo> sockets, const RunningWorld& world);

// Is a cgroup's path the other's, or below it?
[[nodiscard]] bool is_under(const std::string& path, std::string_view ancestor);

// One line: "in tcp 10.0.0.5:40000 > 10.0.1.5:22 (no-rule)", with `who` behind the
// addresses and the reason's slug, and a deny rule's name, at the end.
[[nodiscard]] std::string to_string(const RunningConnection& connection, const Policy& policy);

} // namespace sallyport

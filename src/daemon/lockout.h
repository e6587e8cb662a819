// SPDX-License-Identifier: Apache-2.0
#pragma once
// Nobody locks himself out: before a policy is switched to, it is asked about the sessions
// that somebody could repair it from.
#include "base/ip.h"
#include "base/result.h"
#include "kernel/sockets.h"
#include "policy/policy.h"

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

namespace sallyport {

class Wall;

// By which somebody is logged in: from where, and to which address and port of this host.
struct Door {
    Address peer;
    Address local;
    std::uint16_t port = 0;
    auto operator<=>(const Door&) const = default;
};

// Those of whoever asks (session_peers()); where he has come by none, those of everybody who
// is connected to a login server that listens: sshd, dropbear. Sorted, each once.
[[nodiscard]] std::vector<Door> doors_of(pid_t asker, std::span<const SocketInfo> sockets,
                                         const std::string& proc_root = "/proc");

// Those of whoever asks alone; none when he has come by none.
[[nodiscard]] std::vector<Door> doors_of_session(pid_t asker, std::span<const SocketInfo> sockets,
                                                 const std::string& proc_root = "/proc");
// Ports at which a login server listens, or has taken a connection: by socket activation the
// listener is somebody else's.
[[nodiscard]] std::set<std::uint16_t> login_ports(std::span<const SocketInfo> sockets,
                                                  const std::string& proc_root = "/proc");

// Does he ask over ssh, from another machine, by a connection of this network namespace?
[[nodiscard]] bool comes_by_session(pid_t asker);
// Over ssh, from another machine; true also when that cannot be found out.
[[nodiscard]] bool somebody_is_logged_in();

// What would shut one of them, a line each; empty: none is shut. By the evaluator for every
// NIC that the policy guards and that the session comes by (ways_in()), and by the programs
// themselves, asked about a SYN of a new session, for those NICs that are guarded now. Of
// several ports of a bridge one that lets in is enough; the others are warned of. A policy that
// observes shuts nothing.
[[nodiscard]] Result<std::vector<std::string>> find_lockouts(const Wall& wall, const Policy& policy,
                                                             std::uint32_t slot, pid_t asker);
// The same before there is a wall, by the evaluator alone.
[[nodiscard]] Result<std::vector<std::string>> find_lockouts(const Policy& policy, pid_t asker);

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where a session at this host comes from: so that nobody cuts his own.
#include "base/ip.h"
#include "kernel/sockets.h"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

namespace sallyport {

// sshd, sshd-session (OpenSSH 9.8), dropbear, by the name of a process of /proc; the rest of
// the name is theirs as well.
[[nodiscard]] bool is_login_server(const std::string& process_dir);

// Of a process and its ancestors: the peers of the TCP connections that an sshd among them
// holds, and the client that SSH_CONNECTION of any of them names, for where sshd is out of
// reach. Loopback is nobody. Other ancestors' connections do not count: a service that bans
// whom it has just answered must be able to. What has left its sshd, as a terminal
// multiplexer's server has, is known by SSH_CONNECTION alone.
[[nodiscard]] std::vector<Address> session_peers(pid_t process, std::span<const SocketInfo> sockets,
                                                 const std::string& proc_root = "/proc");

// Is one of them connected to this network namespace? Where the session came in by another,
// what is guarded here cannot cut it.
[[nodiscard]] bool session_stands(pid_t process, std::span<const SocketInfo> sockets,
                                  const std::string& proc_root = "/proc");

// Of all processes of root's that have a terminal: where somebody is at work who could repair
// what a ban breaks, and whom it would lock out. Only peers of connections that stand.
[[nodiscard]] std::vector<Address> root_session_peers(std::span<const SocketInfo> sockets,
                                                      const std::string& proc_root = "/proc");

} // namespace sallyport

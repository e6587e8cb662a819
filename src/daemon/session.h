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

// Of a process and its ancestors: the peers of the TCP connections that an sshd among them
// holds, and the client that SSH_CONNECTION of any of them names, for where sshd is out of
// reach. Loopback is nobody. Other ancestors' connections do not count: a service that bans
// whom it has just answered must be able to. What has left its sshd, as a terminal
// multiplexer's server has, is known by SSH_CONNECTION alone.
[[nodiscard]] std::vector<Address> session_peers(pid_t process, std::span<const SocketInfo> sockets,
                                                 const std::string& proc_root = "/proc");

} // namespace sallyport

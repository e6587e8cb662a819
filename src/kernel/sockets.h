// SPDX-License-Identifier: Apache-2.0
#pragma once
// The sockets of the calling thread's network namespace, listed and destroyed by
// NETLINK_SOCK_DIAG.
#include "base/ip.h"
#include "base/result.h"

#include <cstdint>
#include <vector>

namespace sallyport {

// The kernel's TCP states, as sock_diag numbers them.
enum class TcpState : std::uint8_t {
    established = 1,
    syn_sent = 2,
    syn_recv = 3,
    fin_wait1 = 4,
    fin_wait2 = 5,
    time_wait = 6,
    close = 7, // of UDP: not connected
    close_wait = 8,
    last_ack = 9,
    listen = 10,
    closing = 11,
    new_syn_recv = 12,
};

// An IPv6 socket that speaks IPv4 has IPv4 addresses here; one that is bound to
// all of both families has "::".
struct SocketInfo {
    std::uint8_t proto = 0; // IPPROTO_TCP, IPPROTO_UDP, or what list_bound was asked for
    Address local;
    Address remote; // 0.0.0.0 or :: when there is none
    std::uint16_t local_port = 0;
    std::uint16_t remote_port = 0;
    TcpState state = TcpState::close;
    bool is_ipv6_only = false;
    std::uint32_t uid = 0; // 0 too when the kernel does not say: no inode and no cgroup
    std::uint64_t cgroup =
        0; // cgroup v2 id; 0: not known (half-open, time-wait, kernels before 5.10)
    std::uint64_t cookie = 0;
    std::uint32_t ifindex = 0; // bound to that interface; set for link-local peers too
    std::uint32_t inode = 0;   // 0: no process holds it
    bool operator==(const SocketInfo&) const = default;
};

// All states but closed, listeners and loopback peers included.
[[nodiscard]] Result<std::vector<SocketInfo>> list_tcp();
// All, connected or not.
[[nodiscard]] Result<std::vector<SocketInfo>> list_udp();

// What waits to be asked, of one transport: listeners of TCP and SCTP, unconnected sockets of
// UDP, UDP-Lite and raw ones (IPPROTO_RAW: all of them, local_port is the protocol then). An
// SCTP listener is one entry for each of its addresses. ErrorKind::not_found where the kernel
// has no such transport, or cannot list it.
[[nodiscard]] Result<std::vector<SocketInfo>> list_bound(std::uint8_t proto);

// Aborts the connection: its owner gets ECONNABORTED, its peer a RST, if that is
// let out. A UDP socket is only disconnected. ErrorKind::not_found when it has
// ended meanwhile, not_supported when the kernel cannot.
[[nodiscard]] Status destroy(const SocketInfo& socket);

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
#include "kernel/sockets.h"

#include "kernel/netlink.h"
#include "kernel/raw_sockets.h"

#include <cerrno>
#include <cstring>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace sallyport {
namespace {

constexpr std::uint32_t bit_of(TcpState state) {
    return 1u << static_cast<unsigned>(state);
}

// 1 to 12 but for close. Above is what is bound and nothing more.
constexpr std::uint32_t kAllOfTcp =
    (bit_of(TcpState::new_syn_recv) * 2 - 1) & ~bit_of(TcpState::close) & ~1u;
constexpr std::uint32_t kAllOfUdp = 0xffffffff;

Address address_of(unsigned family, const __be32 (&words)[4]) {
    if (family == AF_INET) return Address::v4(ntohl(words[0]));
    Address address;
    std::memcpy(address.bytes.data(), words, sizeof words);
    return address;
}

std::optional<SocketInfo> parse_socket(std::uint8_t proto, const NetlinkMessage& message) {
    if (message.type != SOCK_DIAG_BY_FAMILY || message.body.size() < sizeof(inet_diag_msg))
        return std::nullopt;
    const inet_diag_msg head = front_of<inet_diag_msg>(message.body);
    SocketInfo found;
    found.proto = proto;
    found.local = address_of(head.idiag_family, head.id.idiag_src);
    found.remote = address_of(head.idiag_family, head.id.idiag_dst);
    found.local_port = ntohs(head.id.idiag_sport);
    found.remote_port = ntohs(head.id.idiag_dport);
    found.state = static_cast<TcpState>(head.idiag_state);
    found.uid = head.idiag_uid;
    found.cookie =
        static_cast<std::uint64_t>(head.id.idiag_cookie[1]) << 32 | head.id.idiag_cookie[0];
    found.ifindex = head.id.idiag_if;
    found.inode = head.idiag_inode;
    for_each_attribute(behind(message.body, sizeof head), [&](std::uint16_t type, Bytes value) {
        if (type == INET_DIAG_CGROUP_ID) found.cgroup = front_of<std::uint64_t>(value);
        if (type == INET_DIAG_SKV6ONLY) found.is_ipv6_only = front_of<std::uint8_t>(value) != 0;
    });
    return found;
}

// SCTP binds to any number of addresses, which follow as an array.
std::vector<SocketInfo> parse_bound(std::uint8_t proto, const NetlinkMessage& message) {
    const std::optional<SocketInfo> first = parse_socket(proto, message);
    if (!first) return {};
    std::vector<SocketInfo> found;
    for_each_attribute(
        behind(message.body, sizeof(inet_diag_msg)), [&](std::uint16_t type, Bytes value) {
            if (type != INET_DIAG_LOCALS) return;
            for (; value.size() >= sizeof(sockaddr_storage);
                 value = value.subspan(sizeof(sockaddr_storage))) {
                SocketInfo one = *first;
                const auto family = front_of<sockaddr_storage>(value).ss_family;
                const auto in4 = front_of<sockaddr_in>(value);
                const auto in6 = front_of<sockaddr_in6>(value);
                if (family == AF_INET)
                    one.local = Address::v4(ntohl(in4.sin_addr.s_addr));
                else if (family == AF_INET6)
                    std::memcpy(one.local.bytes.data(), &in6.sin6_addr, sizeof in6.sin6_addr);
                found.push_back(one);
            }
        });
    if (found.empty()) found.push_back(*first);
    return found;
}

Result<std::vector<SocketInfo>> list(std::uint8_t proto, std::uint32_t states) {
    const NetlinkSocket socket = SP_TRY(NetlinkSocket::open(NETLINK_SOCK_DIAG));
    std::vector<SocketInfo> found;
    using Bound = std::vector<SocketInfo>;
    for (const int family : {AF_INET, AF_INET6}) {
        inet_diag_req_v2 request{};
        request.sdiag_family = static_cast<std::uint8_t>(family);
        request.sdiag_protocol = proto;
        request.idiag_states = states;
        Result<std::vector<Bound>> its = collect<Bound>(
            socket, SOCK_DIAG_BY_FAMILY, bytes_of(request),
            [&](const NetlinkMessage& message) { return parse_bound(proto, message); });
        // A kernel that was started without IPv6 has none of its sockets.
        if (!its && family == AF_INET6 && its.error().kind == ErrorKind::not_found) continue;
        if (!its) return std::unexpected<Error>(std::move(its).context("listing sockets").error());
        for (const Bound& one : *its) found.insert(found.end(), one.begin(), one.end());
    }
    return found;
}

inet_diag_sockid id_of(const SocketInfo& socket) {
    inet_diag_sockid id{};
    id.idiag_sport = htons(socket.local_port);
    id.idiag_dport = htons(socket.remote_port);
    id.idiag_if = socket.ifindex;
    id.idiag_cookie[0] = static_cast<std::uint32_t>(socket.cookie);
    id.idiag_cookie[1] = static_cast<std::uint32_t>(socket.cookie >> 32);
    if (socket.local.is_v4()) {
        id.idiag_src[0] = htonl(socket.local.v4_value());
        id.idiag_dst[0] = htonl(socket.remote.v4_value());
    } else {
        std::memcpy(id.idiag_src, socket.local.bytes.data(), sizeof id.idiag_src);
        std::memcpy(id.idiag_dst, socket.remote.bytes.data(), sizeof id.idiag_dst);
    }
    return id;
}

} // namespace

Result<std::vector<SocketInfo>> list_tcp() {
    return list(IPPROTO_TCP, kAllOfTcp);
}

Result<std::vector<SocketInfo>> list_udp() {
    return list(IPPROTO_UDP, kAllOfUdp);
}

Result<std::vector<SocketInfo>> list_bound(std::uint8_t proto) {
    const bool listens = proto == IPPROTO_TCP || proto == IPPROTO_SCTP;
    Result<std::vector<SocketInfo>> found =
        list(proto, bit_of(listens ? TcpState::listen : TcpState::close));
    if (!found && proto == IPPROTO_RAW && found.error().kind == ErrorKind::not_found)
        return list_raw_by_proc();
    return found;
}

Status destroy(const SocketInfo& socket) {
    const NetlinkSocket netlink = SP_TRY(NetlinkSocket::open(NETLINK_SOCK_DIAG));
    inet_diag_req_v2 request{};
    // IPv6 sockets that speak IPv4 are found among IPv4's.
    request.sdiag_family = socket.local.is_v4() ? AF_INET : AF_INET6;
    request.sdiag_protocol = socket.proto;
    request.idiag_states = 0xffffffff;
    request.id = id_of(socket);
    const int error = SP_TRY(netlink.ask(SOCK_DESTROY, bytes_of(request)));
    switch (error) {
    case 0:
        return {};
    case ENOENT:
    case ESTALE:
        return fail(ErrorKind::not_found, "the socket is gone already");
    case EOPNOTSUPP:
        return fail(ErrorKind::not_supported, "this kernel cannot destroy sockets",
                    "it lacks CONFIG_INET_DIAG_DESTROY: what the policy refuses is still dropped, "
                    "but programs learn of it only by their timeouts");
    case EPERM:
        return fail(ErrorKind::permission, "destroying a socket needs CAP_NET_ADMIN",
                    "run as root, or grant CAP_NET_ADMIN");
    default:
        return fail_errno(error, "destroying a socket");
    }
}

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
#include "kernel/route_to.h"

#include "kernel/netlink.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace sallyport {
namespace {

struct RouteRequest {
    nlmsghdr head;
    rtmsg route;
    rtattr attribute;
    std::array<std::uint8_t, 16> address;
};

RouteRequest request_for(const Address& address) {
    RouteRequest request{};
    const std::size_t size = address.is_v4() ? 4 : 16;
    request.head.nlmsg_len =
        static_cast<std::uint32_t>(NLMSG_LENGTH(sizeof(rtmsg)) + RTA_LENGTH(size));
    request.head.nlmsg_type = RTM_GETROUTE;
    request.head.nlmsg_flags = NLM_F_REQUEST;
    request.route.rtm_family = address.is_v4() ? AF_INET : AF_INET6;
    request.route.rtm_dst_len = static_cast<unsigned char>(size * 8);
    request.attribute.rta_type = RTA_DST;
    request.attribute.rta_len = static_cast<unsigned short>(RTA_LENGTH(size));
    std::memcpy(request.address.data(), address.bytes.data() + (16 - size), size);
    return request;
}

// No more than a message; the kernel's answers are aligned as it wants them.
std::optional<unsigned> interface_in(Bytes message) {
    std::optional<unsigned> index;
    const Bytes attributes = behind(message.subspan(sizeof(nlmsghdr)), sizeof(rtmsg));
    for_each_attribute(attributes, [&](std::uint16_t type, Bytes value) {
        if (type == RTA_OIF && value.size() >= 4) index = front_of<std::uint32_t>(value);
    });
    return index;
}

} // namespace

Result<std::optional<unsigned>> route_to(const Address& address) {
    const NetlinkSocket socket = SP_TRY(NetlinkSocket::open(NETLINK_ROUTE));
    const RouteRequest request = request_for(address);
    if (send(socket.fd(), &request, request.head.nlmsg_len, 0) < 0)
        return fail_errno(errno, "asking for a route");
    std::array<std::byte, 8192> buffer{};
    ssize_t got = 0;
    do got = recv(socket.fd(), buffer.data(), buffer.size(), 0);
    while (got < 0 && errno == EINTR);
    if (got < 0) return fail_errno(errno, "asking for a route");
    const Bytes answer = Bytes(buffer).first(static_cast<std::size_t>(got));
    const nlmsghdr head = front_of<nlmsghdr>(answer);
    // Unreachable by any route, or by one that says so.
    if (head.nlmsg_type != RTM_NEWROUTE || answer.size() < sizeof(nlmsghdr))
        return std::optional<unsigned>{};
    return interface_in(answer);
}

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
#include "kernel/routes.h"

#include "kernel/netlink.h"

#include <algorithm>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace sallyport {
namespace {

std::optional<Address> address_of(unsigned family, Bytes value) {
    if (family == AF_INET6 && value.size() >= 16)
        return Address{front_of<std::array<std::uint8_t, 16>>(value)};
    if (family != AF_INET || value.size() < 4) return std::nullopt;
    const auto quad = front_of<std::array<std::uint8_t, 4>>(value);
    return Address::v4(static_cast<std::uint32_t>(quad[0]) << 24 |
                       static_cast<std::uint32_t>(quad[1]) << 16 |
                       static_cast<std::uint32_t>(quad[2]) << 8 | quad[3]);
}

using Hops = std::vector<Address>;

void add_hop(unsigned family, std::uint16_t type, Bytes value, Hops& hops) {
    std::optional<Address> hop;
    if (type == RTA_GATEWAY) hop = address_of(family, value);
    // A next hop of the other family (RFC 5549): its number stands in front.
    if (type == RTA_VIA && value.size() > 2)
        hop = address_of(front_of<std::uint16_t>(value), value.subspan(2));
    if (hop) hops.push_back(*hop);
}

// struct rtnexthop one after the other, each with its attributes.
void add_paths(unsigned family, Bytes value, Hops& hops) {
    while (value.size() >= sizeof(rtnexthop)) {
        const rtnexthop head = front_of<rtnexthop>(value);
        if (head.rtnh_len < sizeof head || head.rtnh_len > value.size()) return;
        for_each_attribute(
            value.subspan(sizeof head, head.rtnh_len - sizeof head),
            [&](std::uint16_t type, Bytes inner) { add_hop(family, type, inner, hops); });
        value = value.subspan(std::min<std::size_t>(RTNH_ALIGN(head.rtnh_len), value.size()));
    }
}

std::optional<Hops> parse_route(const NetlinkMessage& message) {
    if (message.type != RTM_NEWROUTE) return std::nullopt;
    const rtmsg head = front_of<rtmsg>(message.body);
    if (head.rtm_dst_len > 1 || head.rtm_type != RTN_UNICAST ||
        (head.rtm_family != AF_INET && head.rtm_family != AF_INET6))
        return std::nullopt;
    Hops hops;
    for_each_attribute(behind(message.body, sizeof head), [&](std::uint16_t type, Bytes value) {
        if (type == RTA_MULTIPATH)
            add_paths(head.rtm_family, value, hops);
        else
            add_hop(head.rtm_family, type, value, hops);
    });
    return hops;
}

} // namespace

Result<std::vector<Address>> default_gateways() {
    const NetlinkSocket socket = SP_TRY(NetlinkSocket::open(NETLINK_ROUTE));
    std::vector<Address> gateways;
    for (const int family : {AF_INET, AF_INET6}) {
        rtmsg request{};
        request.rtm_family = static_cast<unsigned char>(family);
        for (const Hops& hops :
             SP_TRY(collect<Hops>(socket, RTM_GETROUTE, bytes_of(request), parse_route)
                        .context("listing routes")))
            gateways.insert(gateways.end(), hops.begin(), hops.end());
    }
    std::ranges::sort(gateways);
    const auto doubles = std::ranges::unique(gateways);
    gateways.erase(doubles.begin(), doubles.end());
    return gateways;
}

} // namespace sallyport

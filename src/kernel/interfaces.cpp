// SPDX-License-Identifier: Apache-2.0
#include "kernel/interfaces.h"

#include <algorithm>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <map>
#include <sys/socket.h>
#include <utility>

namespace sallyport {
namespace {

std::string text_of(Bytes value) {
    std::string text;
    for (const std::byte byte : value) {
        if (byte == std::byte{0}) break;
        text += static_cast<char>(byte);
    }
    return text;
}

// A VLAN's id; nothing for any other kind of link.
std::optional<std::uint16_t> vlan_of(Bytes link_info) {
    std::string kind;
    Bytes data;
    for_each_attribute(link_info, [&](std::uint16_t type, Bytes value) {
        if (type == IFLA_INFO_KIND) kind = text_of(value);
        if (type == IFLA_INFO_DATA) data = value;
    });
    if (kind != "vlan") return std::nullopt;
    std::optional<std::uint16_t> id;
    for_each_attribute(data, [&](std::uint16_t type, Bytes value) {
        if (type == IFLA_VLAN_ID) id = front_of<std::uint16_t>(value);
    });
    return id;
}

// Is it a port of something that receives in its place? (A VRF's is not: what comes in by
// its ports is XDP's there alone.)
bool is_port(Bytes link_info) {
    std::string kind;
    for_each_attribute(link_info, [&](std::uint16_t type, Bytes value) {
        if (type == IFLA_INFO_SLAVE_KIND) kind = text_of(value);
    });
    return kind == "bond" || kind == "bridge" || kind == "team";
}

std::optional<Interface> parse_link(const NetlinkMessage& message) {
    if (message.type != RTM_NEWLINK) return std::nullopt;
    const ifinfomsg head = front_of<ifinfomsg>(message.body);
    Interface found;
    found.index = static_cast<unsigned>(head.ifi_index);
    found.link = link_type_of(head.ifi_type);
    found.is_loopback = (head.ifi_flags & IFF_LOOPBACK) != 0;
    unsigned lower = 0;
    bool lower_elsewhere = false;
    bool port = false;
    std::optional<std::uint16_t> vlan;
    for_each_attribute(behind(message.body, sizeof head), [&](std::uint16_t type, Bytes value) {
        if (type == IFLA_IFNAME) found.name = text_of(value);
        if (type == IFLA_MTU) found.mtu = front_of<std::uint32_t>(value);
        if (type == IFLA_ADDRESS && value.size() == found.mac.size())
            found.mac = front_of<std::array<std::uint8_t, 6>>(value);
        if (type == IFLA_MASTER) found.master = front_of<std::uint32_t>(value);
        if (type == IFLA_LINK) lower = front_of<std::uint32_t>(value);
        if (type == IFLA_LINK_NETNSID) lower_elsewhere = true;
        if (type == IFLA_LINKINFO) vlan = vlan_of(value);
        if (type == IFLA_LINKINFO) port = is_port(value);
    });
    if (!port) found.master = 0;
    if (vlan && !lower_elsewhere) {
        found.lower = lower;
        found.vlan = *vlan;
    }
    return found;
}

Address address_of(unsigned family, Bytes value) {
    if (family == AF_INET6) return Address{front_of<std::array<std::uint8_t, 16>>(value)};
    const auto quad = front_of<std::array<std::uint8_t, 4>>(value);
    return Address::v4(static_cast<std::uint32_t>(quad[0]) << 24 |
                       static_cast<std::uint32_t>(quad[1]) << 16 |
                       static_cast<std::uint32_t>(quad[2]) << 8 | quad[3]);
}

using Owned = std::pair<unsigned, std::vector<InterfaceAddress>>; // by interface index

std::optional<Owned> parse_address_message(const NetlinkMessage& message) {
    const ifaddrmsg head = front_of<ifaddrmsg>(message.body);
    if (message.type != RTM_NEWADDR || (head.ifa_family != AF_INET && head.ifa_family != AF_INET6))
        return std::nullopt;
    std::optional<Address> local;   // IFA_LOCAL where there is one: the other is then the
    std::optional<Address> address; // far end of a point-to-point link
    Owned found{head.ifa_index, {}};
    for_each_attribute(behind(message.body, sizeof head), [&](std::uint16_t type, Bytes value) {
        if (type == IFA_LOCAL) local = address_of(head.ifa_family, value);
        if (type == IFA_ADDRESS) address = address_of(head.ifa_family, value);
        if (type == IFA_BROADCAST)
            found.second.push_back({address_of(head.ifa_family, value), SP_LOCAL_BROADCAST});
    });
    if (local || address) found.second.push_back({local ? *local : *address, SP_LOCAL_HOST});
    // The kernel takes the subnet's highest address as broadcast, said or not.
    if (head.ifa_family == AF_INET && address && head.ifa_prefixlen < 31) {
        const std::uint32_t hosts = 0xffffffffu >> head.ifa_prefixlen;
        found.second.push_back({Address::v4(address->v4_value() | hosts), SP_LOCAL_BROADCAST});
    }
    return found;
}

struct LinkRequest {
    ifinfomsg head;
    nlattr mask;
    std::uint32_t wanted;
};

} // namespace

sp_link_type link_type_of(unsigned arphrd) {
    switch (arphrd) {
    case ARPHRD_ETHER:
        return SP_LINK_ETHERNET;
    case ARPHRD_NONE: // tun, WireGuard
    case ARPHRD_RAWIP:
    case ARPHRD_PPP: // its two bytes are gone before the stack, or XDP, sees the packet
    case ARPHRD_TUNNEL:
    case ARPHRD_TUNNEL6:
    case ARPHRD_SIT:
    case ARPHRD_IPGRE:
    case ARPHRD_IP6GRE:
        return SP_LINK_IP;
    default:
        return SP_LINK_NONE;
    }
}

Result<std::vector<Interface>> list_interfaces() {
    const NetlinkSocket socket = SP_TRY(NetlinkSocket::open(NETLINK_ROUTE));
    LinkRequest request{};
    request.mask = {.nla_len = NLA_HDRLEN + sizeof request.wanted, .nla_type = IFLA_EXT_MASK};
    request.wanted = RTEXT_FILTER_SKIP_STATS;
    std::vector<Interface> interfaces =
        SP_TRY(collect<Interface>(socket, RTM_GETLINK, bytes_of(request), parse_link)
                   .context("listing network interfaces"));
    const std::vector<Owned> owned =
        SP_TRY(collect<Owned>(socket, RTM_GETADDR, bytes_of(ifaddrmsg{}), parse_address_message)
                   .context("listing addresses"));
    std::map<unsigned, std::vector<InterfaceAddress>> by_index;
    for (const auto& [index, addresses] : owned)
        by_index[index].insert(by_index[index].end(), addresses.begin(), addresses.end());
    std::ranges::sort(interfaces, {}, &Interface::index);
    for (Interface& interface : interfaces) {
        std::vector<InterfaceAddress>& its = by_index[interface.index];
        std::ranges::sort(its);
        const auto doubles = std::ranges::unique(its);
        its.erase(doubles.begin(), doubles.end());
        interface.addresses = std::move(its);
    }
    return interfaces;
}

Result<InterfaceWatch> InterfaceWatch::open() {
    NetlinkSocket socket = SP_TRY(
        NetlinkSocket::open(NETLINK_ROUTE, RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR)
            .context("watching network interfaces"));
    return InterfaceWatch(std::move(socket));
}

} // namespace sallyport

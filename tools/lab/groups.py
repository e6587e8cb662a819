# SPDX-License-Identifier: Apache-2.0
"""A router of multicast: what one source sends to a group goes from one interface to another."""
import socket
import struct

MRT_INIT, MRT_ADD_VIF, MRT_ADD_MFC = 200, 202, 204  # of both families
VIFF_USE_IFINDEX = 8
routers = {}


def address6(text):
    return struct.pack("=HHI16sI", socket.AF_INET6, 0, 0, socket.inet_pton(socket.AF_INET6, text), 0)


def router(family):
    """The namespace's one, made when it is first asked for."""
    if family not in routers:
        proto = socket.IPPROTO_IGMP if family == socket.AF_INET else socket.IPPROTO_ICMPV6
        routers[family] = socket.socket(family, socket.SOCK_RAW, proto)
        level = socket.IPPROTO_IP if family == socket.AF_INET else socket.IPPROTO_IPV6
        routers[family].setsockopt(level, MRT_INIT, 1)
    return routers[family]


def route_group(source, group, come, go):
    """From the interface `come` to `go`."""
    indexes = [socket.if_nametoindex(name) for name in (come, go)]
    if ":" in group:
        sock = router(socket.AF_INET6)
        for number, index in enumerate(indexes):
            sock.setsockopt(socket.IPPROTO_IPV6, MRT_ADD_VIF,
                            struct.pack("=HBBH2xI", number, 0, 1, index, 0))
        sock.setsockopt(socket.IPPROTO_IPV6, MRT_ADD_MFC, address6(source) + address6(group)
                        + struct.pack("=H2x8I", 0, 1 << 1, *[0] * 7))
        return {}
    sock = router(socket.AF_INET)
    for number, index in enumerate(indexes):
        sock.setsockopt(socket.IPPROTO_IP, MRT_ADD_VIF,
                        struct.pack("=HBBIi4x", number, VIFF_USE_IFINDEX, 1, 0, index))
    sock.setsockopt(socket.IPPROTO_IP, MRT_ADD_MFC, struct.pack(
        "=4s4sH32s2x16x", socket.inet_aton(source), socket.inet_aton(group), 0,
        bytes([0, 1]) + bytes(30)))
    return {}

# SPDX-License-Identifier: Apache-2.0
"""Ways out that a firewall may have forgotten, each told as one word (outcome.py).

Sockets that are made here are kept under a handle, to be used later, by another
call, in another cgroup, or by another process.
"""
import array
import ctypes
import itertools
import os
import socket
import struct
import threading
import time

from outcome import asked, family_of, told
from servers import accept_loop

AF_PACKET, AF_XDP = 17, 44
SOL_PACKET, PACKET_QDISC_BYPASS = 263, 20
IPPROTO_UDPLITE = 136
TCP_FASTOPEN_CONNECT = 30
SYS_PIDFD_OPEN, SYS_PIDFD_GETFD = 434, 438

libc = ctypes.CDLL(None, use_errno=True)
sockets = {}
handles = itertools.count(1)


def kept(sock):
    handle = next(handles)
    sockets[handle] = sock
    return {"result": "open", "handle": handle, "fd": sock.fileno()}


def open_socket(family, kind, proto=0, bypass=False, interface=""):
    """Only makes it; families and kinds are numbers, for Python knows not all."""
    try:
        sock = socket.socket(family, kind, proto)
        if bypass:
            sock.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
        if interface:
            sock.bind((interface, 0))
        return kept(sock)
    except OSError as error:
        return told(error)


def close_socket(handle):
    sockets.pop(handle).close()
    return {}


def set_bypass(handle):
    sockets[handle].setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
    return {}


def send_frame_on(handle, interface, frame):
    """A whole frame (hex) over a kept packet socket."""
    try:
        sockets[handle].sendto(bytes.fromhex(frame), (interface, 0))
        return {"result": "sent"}
    except OSError as error:
        return told(error)


def ask_on(handle, dst, port, timeout=1.0):
    """A datagram over a kept socket, and the answer to it."""
    return asked(sockets[handle], dst, port, timeout)


def adopted(fd):
    try:
        return socket.socket(fileno=fd)
    except OSError:  # AF_XDP has no name to tell its family by
        return socket.socket(AF_XDP, socket.SOCK_RAW, 0, fileno=fd)


def await_socket(name, timeout=5.0):
    """Waits at an abstract address for a socket that another process gives."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind("\0" + name)
        door.settimeout(timeout)
        try:
            _, ancillary, _, _ = door.recvmsg(16, socket.CMSG_SPACE(4))
        except OSError as error:
            return told(error)
    fds = array.array("i")
    for _, _, data in ancillary:
        fds.frombytes(data[:4])
    if not fds:
        return {"result": "withheld"}  # the kernel has let the message through without it
    return kept(adopted(fds[0]))


def give_socket(handle, name, timeout=5.0):
    until = time.monotonic() + timeout
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        while True:
            try:
                sock.connect("\0" + name)
                break
            except ConnectionRefusedError:  # nobody waits there yet
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)
        fds = array.array("i", [sockets[handle].fileno()])
        sock.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
    return {"result": "sent"}


def fetch_socket(pid, fd):
    """Takes a descriptor out of another process (pidfd_getfd)."""
    pidfd = libc.syscall(SYS_PIDFD_OPEN, pid, 0)
    got = libc.syscall(SYS_PIDFD_GETFD, pidfd, fd, 0)
    number = ctypes.get_errno()
    os.close(pidfd)
    if got < 0:
        return told(OSError(number, os.strerror(number)))
    return kept(adopted(got))


def heard_back(sock, size=16):
    message = os.urandom(size)
    sock.sendall(message)
    got = b""
    while message not in got:
        data = sock.recv(65536)
        if not data:
            return {"result": "closed"}
        got += data
    return {"result": "open"}


def stream_to(dst, port, proto=0, fast_open_connect=False, timeout=1.0, linger=0.0):
    """TCP by another protocol number (MPTCP, SCTP), or with the data in its SYN."""
    try:
        with socket.socket(family_of(dst), socket.SOCK_STREAM, proto) as sock:
            if fast_open_connect:
                limit = struct.pack("ll", int(timeout), int(timeout % 1 * 1e6))
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
                sock.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
            else:
                sock.settimeout(timeout)
            sock.connect((dst, port))
            answer = heard_back(sock)
            time.sleep(linger)  # MPTCP makes its further ways once data has flowed
            return answer
    except OSError as error:
        return told(error)


def listen_stream(port, proto):
    """Echoes, in both families, by another protocol number than TCP's."""
    for family, anywhere in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        sock = socket.socket(family, socket.SOCK_STREAM, proto)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((anywhere, port))
        sock.listen(16)
        threading.Thread(target=accept_loop, args=(sock, "echo", ""), daemon=True).start()
    return {}


def udplite(dst, port, timeout=1.0):
    try:
        with socket.socket(family_of(dst), socket.SOCK_DGRAM, IPPROTO_UDPLITE) as sock:
            sock.settimeout(timeout)
            sock.connect((dst, port))
            return heard_back(sock)
    except OSError as error:
        return told(error)


def echo_udplite(port):
    """Echoes what comes to that port, in both families."""
    for family, anywhere in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        sock = socket.socket(family, socket.SOCK_DGRAM, IPPROTO_UDPLITE)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((anywhere, port))

        def serve(own=sock):
            while True:
                data, sender = own.recvfrom(65536)
                own.sendto(data, sender)
        threading.Thread(target=serve, daemon=True).start()
    return {}


def send_elsewhere(dst, port, elsewhere, elsewhere_port, timeout=1.0):
    """A socket connected to `dst` that sends one datagram to somebody else."""
    try:
        with socket.socket(family_of(dst), socket.SOCK_DGRAM) as sock:
            sock.settimeout(timeout)
            sock.connect((dst, port))
            sock.sendto(b"elsewhere", (elsewhere, elsewhere_port))
            return {"result": "sent"}
    except OSError as error:
        return told(error)


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_char_p), ("length", ctypes.c_size_t)]


class Msghdr(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("namelen", ctypes.c_uint32),
                ("iov", ctypes.POINTER(Iovec)), ("iovlen", ctypes.c_size_t),
                ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t),
                ("flags", ctypes.c_int)]


class Mmsghdr(ctypes.Structure):
    _fields_ = [("header", Msghdr), ("length", ctypes.c_uint)]


def sockaddr(address, port):
    if ":" in address:
        return struct.pack("=HHI16sI", socket.AF_INET6, socket.htons(port), 0,
                           socket.inet_pton(socket.AF_INET6, address), 0)
    return struct.pack("=HH4s8x", socket.AF_INET, socket.htons(port), socket.inet_aton(address))


def message_to(target, data):
    """A msghdr and what must live as long as it."""
    name = ctypes.create_string_buffer(sockaddr(*target))
    iov = Iovec(data, len(data))
    header = Msghdr(ctypes.cast(name, ctypes.c_void_p), len(name) - 1, ctypes.pointer(iov), 1,
                    None, 0, 0)
    return header, (name, iov, data)


def sendmmsg(targets):
    """One call with a datagram for each of the targets; `sent` of them went."""
    family = family_of(targets[0][0])
    messages = (Mmsghdr * len(targets))()
    alive = []
    for index, target in enumerate(targets):
        messages[index].header, keep = message_to(target, b"many")
        alive.append(keep)
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sent = libc.sendmmsg(sock.fileno(), messages, len(targets), 0)
        if sent < 0:
            return {**told(OSError(ctypes.get_errno(), "sendmmsg")), "sent": 0}
    return {"result": "sent", "sent": sent}


def ping_socket(dst, timeout=1.0):
    """An echo request by an unprivileged ICMP socket, and its reply."""
    v6 = ":" in dst
    with open("/proc/sys/net/ipv4/ping_group_range", "w", encoding="ascii") as groups:
        groups.write("0 2147483647")
    try:
        with socket.socket(family_of(dst), socket.SOCK_DGRAM,
                           socket.IPPROTO_ICMPV6 if v6 else socket.IPPROTO_ICMP) as sock:
            sock.settimeout(timeout)
            sock.sendto(struct.pack("!BBHHH", 128 if v6 else 8, 0, 0, 0, 1) + os.urandom(16),
                        (dst, 0))
            sock.recv(65536)
            return {"result": "open"}
    except OSError as error:
        return told(error)


def send_routed(dst, port, through):
    """A datagram with a source route in its header: first to `through`, then to `dst`."""
    if ":" in dst:
        hops = socket.inet_pton(socket.AF_INET6, dst) + socket.inet_pton(socket.AF_INET6, through)
        option = (socket.IPPROTO_IPV6, 57,  # IPV6_RTHDR, of type 4 (RFC 8754)
                  struct.pack("!BBBBBBH", 0, 4, 4, 1, 1, 0, 0) + hops)
    else:
        option = (socket.IPPROTO_IP, socket.IP_OPTIONS,  # loose source and record route
                  struct.pack("!BBB", 0x83, 7, 4) + socket.inet_aton(through) + b"\0")
    try:
        with socket.socket(family_of(dst), socket.SOCK_DGRAM) as sock:
            sock.setsockopt(*option)
            sock.sendto(b"by a detour", (dst, port))
            return {"result": "sent"}
    except OSError as error:
        return told(error)


def send_group(dst, port, interface, text="all of you", hops=1):
    """A datagram to a multicast group or the broadcast address."""
    try:
        with socket.socket(family_of(dst), socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
            level, option = ((socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS) if ":" in dst
                             else (socket.IPPROTO_IP, socket.IP_MULTICAST_TTL))
            sock.setsockopt(level, option, hops)
            sock.sendto(text.encode(), (dst, port))
            return {"result": "sent"}
    except OSError as error:
        return told(error)

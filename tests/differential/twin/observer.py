# SPDX-License-Identifier: Apache-2.0
"""What came through: NFLOG behind the filters, and what stands on the wire; conntrack's flush.

Each function makes its socket in the network namespace the caller is in.
"""
import os
import socket
import struct

NETLINK_NETFILTER = 12
NLM_F_REQUEST, NLM_F_ACK = 1, 4
NLMSG_ERROR = 2
CTNETLINK, NFLOG = 1, 4           # subsystems of nfnetlink
CT_DELETE = 2
LOG_PACKET, LOG_CONFIG = 0, 1
CFG_CMD, CFG_MODE = 1, 2
BIND, COPY_PACKET = 1, 2
PAYLOAD = 9
SEEN, INVALID = 7, 8              # log groups
SO_RCVBUFFORCE = 33
ROOM = 32 << 20
ETH_P_ALL = 3

# Behind every filter (priority 0, security at 50), of what is not loopback's.
TABLE = f"""table inet twin_observer {{
 chain seen {{
  type filter hook input priority 300; policy accept;
  iifname != "lo" log group {SEEN} snaplen 2048 queue-threshold 1
 }}
}}
"""
# Where conntrack is: what it calls INVALID, before any filter.
INVALID_TABLE = f"""table inet twin_invalid {{
 chain entering {{
  type filter hook prerouting priority -150; policy accept;
  ct state invalid log group {INVALID} snaplen 2048 queue-threshold 1
 }}
 chain leaving {{
  type filter hook output priority -150; policy accept;
  ct state invalid log group {INVALID} snaplen 2048 queue-threshold 1
 }}
}}
"""


def attribute(kind, value):
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def ask(sock, subsystem, kind, resource, attributes, family=0):
    """One request, and its acknowledgement."""
    body = struct.pack("!BBH", family, 0, resource) + attributes
    sock.send(struct.pack("=IHHII", 16 + len(body), subsystem << 8 | kind,
                          NLM_F_REQUEST | NLM_F_ACK, 1, 0) + body)
    answer = sock.recv(65536)
    if struct.unpack_from("=H", answer, 4)[0] == NLMSG_ERROR:
        number = -struct.unpack_from("=i", answer, 16)[0]
        if number:
            raise OSError(number, f"nfnetlink {subsystem}/{kind}: {os.strerror(number)}")


def netfilter_socket():
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_NETFILTER)


def forget_flows():
    """Empties conntrack of this namespace."""
    with netfilter_socket() as sock:
        ask(sock, CTNETLINK, CT_DELETE, 0, b"")


class Logged:
    """IP packets that the observer's tables logged, in order."""

    def __init__(self):
        self.sock = netfilter_socket()
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM)
        for group in (SEEN, INVALID):
            ask(self.sock, NFLOG, LOG_CONFIG, group, attribute(CFG_CMD, bytes([BIND])))
            ask(self.sock, NFLOG, LOG_CONFIG, group,
                attribute(CFG_MODE, struct.pack("!IBB", 2048, COPY_PACKET, 0)))
        self.sock.setblocking(False)

    def take(self):
        """(group, packet) of what there is now. ENOBUFS, a loss, is the caller's to fail by."""
        found = []
        while True:
            try:
                data = self.sock.recv(1 << 18)
            except BlockingIOError:
                return found
            at = 0
            while at + 16 <= len(data):
                size, kind = struct.unpack_from("=IH", data, at)
                if kind == NFLOG << 8 | LOG_PACKET:
                    group = struct.unpack_from("!H", data, at + 18)[0]
                    found += [(group, packet) for packet in payloads(data[at + 20:at + size])]
                at += size + 3 & ~3

    def close(self):
        self.sock.close()


def payloads(attributes):
    at = 0
    while at + 4 <= len(attributes):
        size, kind = struct.unpack_from("=HH", attributes, at)
        if kind & 0x7FFF == PAYLOAD:
            yield attributes[at + 4:at + size]
        at += size + 3 & ~3


class Wire:
    """A packet socket on one end of a cable: sends frames, and if asked keeps those that arrive."""

    def __init__(self, interface, hears):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM)
        self.sock.bind((interface, ETH_P_ALL if hears else 0))
        self.sock.setblocking(False)

    def send(self, frame):
        self.sock.send(frame)

    def take(self):
        found = []
        while True:
            try:
                frame, where = self.sock.recvfrom(65536)
            except BlockingIOError:
                return found
            if where[2] != 4:  # PACKET_OUTGOING: our own
                found.append(frame)

    def close(self):
        self.sock.close()

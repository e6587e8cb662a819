# SPDX-License-Identifier: Apache-2.0
"""A frame, or an IP packet, as fields: by code that shares nothing with the programs.

What is not there is None. A field is filled in as far as the bytes go; whether
that is a sound packet is for others to say.
"""
import ipaddress
import struct
from dataclasses import dataclass, field

from packets import ETH_IP, ETH_IP6, ETH_QINQ, ETH_VLAN, checksum, crc32c, transport_sum

TCP, UDP, SCTP, UDPLITE, ICMP, ICMP6, AH = 6, 17, 132, 136, 1, 58, 51
FRAGMENT = 44
EXTENSIONS = (0, 43, FRAGMENT, AH, 60)
WITH_PORTS = (TCP, UDP, SCTP, UDPLITE)


@dataclass
class Packet:
    data: bytes = b""           # from the IP header on
    dst_mac: bytes = b""
    tags: list = field(default_factory=list)
    family: int = 0
    src: str = ""
    dst: str = ""
    label: int = 0              # IPv4: the identification; IPv6: the flow label
    hops: int = 0
    options: bytes = b""        # IPv4
    extensions: list = field(default_factory=list)  # (number, bytes)
    fragment: tuple = None      # (offset, more); of what was put together: of its first to arrive
    step: int = None            # bytes of the first fragment, of what was put together
    proto: int = None
    body: bytes = b""           # what `proto` is, within the declared length
    sport: int = None
    dport: int = None
    flags: int = None           # TCP
    kind: int = None            # ICMP
    code: int = None
    ident: int = None           # ICMP echo
    quote: object = None        # ICMP error: the Packet it quotes

    @property
    def is_icmp(self):
        return self.proto == (ICMP if self.family == 4 else ICMP6)

    @property
    def is_error(self):
        return self.is_icmp and self.kind in ((3, 11, 12) if self.family == 4 else (1, 2, 3, 4))

    def source(self):
        return ipaddress.ip_address(self.src)

    def sum_is_right(self):
        """Of the transport header; True where there is none to check."""
        if self.fragment not in (None, (0, False)) and self.step is None:
            return True
        if self.proto == ICMP and self.family == 4:
            return checksum(self.body) == 0
        if self.proto == SCTP:
            zeroed = self.body[:8] + bytes(4) + self.body[12:]
            return self.body[8:12] == struct.pack("<I", crc32c(zeroed))
        if self.proto in (TCP, UDP, UDPLITE, ICMP6):
            if self.proto == UDP and self.body[6:8] == b"\0\0":
                return self.family == 4
            return transport_sum(self.src, self.dst, self.proto, self.body) == 0
        return True

    def __str__(self):
        words = [f"IPv{self.family} {self.src} > {self.dst} label {self.label} hops {self.hops}"]
        words += [f"tag {tag}" for tag in self.tags]
        if self.options:
            words.append(f"options {self.options.hex()}")
        words += [f"extension {number}:{data.hex()}" for number, data in self.extensions]
        if self.fragment:
            words.append(f"fragment at {self.fragment[0]}{' +' if self.fragment[1] else ''}"
                         + (f" by {self.step}, all of them" if self.step else ""))
        words.append(f"proto {self.proto}")
        if self.sport is not None:
            words.append(f"ports {self.sport} > {self.dport}")
        if self.flags is not None:
            words.append("flags " + "".join(n for i, n in enumerate("FSRPAUEC") if self.flags >> i & 1))
        if self.kind is not None:
            words.append(f"type {self.kind}/{self.code} id {self.ident}")
        if self.quote is not None:
            words.append(f"quoting ({self.quote})")
        if self.dst_mac and self.dst_mac[0] & 1:
            words.append(f"in a group frame to {self.dst_mac.hex(':')}")
        if not self.sum_is_right():
            words.append("wrong checksum")
        return ", ".join(words)


def decode_frame(frame):
    ethertype = struct.unpack_from("!H", frame, 12)[0]
    at, tags = 14, []
    while ethertype in (ETH_VLAN, ETH_QINQ) and len(frame) >= at + 4:
        tags.append(struct.unpack_from("!H", frame, at)[0] & 0xFFF)
        ethertype = struct.unpack_from("!H", frame, at + 2)[0]
        at += 4
    packet = decode_ip(frame[at:]) if ethertype in (ETH_IP, ETH_IP6) else Packet(data=frame[at:])
    packet.dst_mac, packet.tags = frame[:6], tags
    return packet


def decode_ip(data):
    packet = Packet(data=data)
    if len(data) >= 20 and data[0] >> 4 == 4:
        decode_ip4(packet, data)
    elif len(data) >= 40 and data[0] >> 4 == 6:
        decode_ip6(packet, data)
    if packet.proto is not None and (packet.fragment is None or packet.fragment[0] == 0):
        decode_transport(packet)
    return packet


def decode_ip4(packet, data):
    _, _, total, packet.label, where, packet.hops, packet.proto = struct.unpack_from("!BBHHHBB", data)
    packet.family = 4
    packet.src, packet.dst = (str(ipaddress.ip_address(data[i:i + 4])) for i in (12, 16))
    end = (data[0] & 15) * 4
    packet.options = data[20:end]
    if where & 0x3FFF:
        packet.fragment = ((where & 0x1FFF) * 8, bool(where & 0x2000))
    packet.body = data[end:total]


def decode_ip6(packet, data):
    first, length, proto, packet.hops = struct.unpack_from("!IHBB", data)
    packet.family, packet.label = 6, first & 0xFFFFF
    packet.src, packet.dst = (str(ipaddress.ip_address(data[i:i + 16])) for i in (8, 24))
    body = data[40:40 + length]
    while proto in EXTENSIONS and len(body) >= 8:
        size = 8 if proto == 44 else (body[1] + 2) * 4 if proto == AH else (body[1] + 1) * 8
        packet.extensions.append((proto, body[:size]))
        if proto == 44:
            where = struct.unpack_from("!H", body, 2)[0]
            packet.fragment = (where & ~7, bool(where & 1))
        proto, body = body[0], body[size:]
        if packet.fragment is not None and packet.fragment[0]:
            break
    packet.proto, packet.body = proto, body


def decode_transport(packet):
    body = packet.body
    if packet.proto in WITH_PORTS and len(body) >= 4:
        packet.sport, packet.dport = struct.unpack_from("!HH", body)
    if packet.proto == TCP and len(body) >= 14:
        packet.flags = body[13]
    if packet.is_icmp and len(body) >= 8:
        packet.kind, packet.code = body[0], body[1]
        packet.ident = struct.unpack_from("!H", body, 4)[0]
        if packet.is_error:
            packet.quote = decode_ip(body[8:])

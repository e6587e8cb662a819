# SPDX-License-Identifier: Apache-2.0
"""Packets by hand: each function wraps its payload in one header and returns bytes.

    ethernet(ipv4("10.0.0.2", "10.0.0.1", tcp("10.0.0.2", "10.0.0.1", 4000, 22)))

Lengths and checksums are right unless a caller asks for others; the address
pair that a transport checksum covers is given to the transport function.
"""
import ipaddress
import struct

ETH_IP, ETH_ARP, ETH_VLAN, ETH_IP6, ETH_QINQ = 0x0800, 0x0806, 0x8100, 0x86DD, 0x88A8
HOP_BY_HOP, ICMP, TCP, UDP, ROUTING, FRAGMENT, ICMP6, NO_NEXT, DEST_OPTS, SCTP = (
    0, 1, 6, 17, 43, 44, 58, 59, 60, 132)
FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32}


def address(text):
    return ipaddress.ip_address(text).packed


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def transport_sum(src, dst, proto, segment):
    source, destination = address(src), address(dst)
    if len(source) == 4:
        pseudo = source + destination + struct.pack("!BBH", 0, proto, len(segment))
    else:
        pseudo = source + destination + struct.pack("!I3xB", len(segment), proto)
    return checksum(pseudo + segment)


# ---- link -------------------------------------------------------------------------

def ethernet(dst, src, payload, ethertype=None):
    """The EtherType is that of the payload's IP version unless given."""
    if ethertype is None:
        ethertype = ETH_IP6 if payload[0] >> 4 == 6 else ETH_IP
    return mac(dst) + mac(src) + struct.pack("!H", ethertype) + payload


def tag(frame, vid, tpid=ETH_VLAN):
    """The frame with one more VLAN tag, outside those it has."""
    return frame[:12] + struct.pack("!HH", tpid, vid) + frame[12:]


def arp_request(src_mac, src, dst):
    body = struct.pack("!HHBBH", 1, ETH_IP, 6, 4, 1)
    body += mac(src_mac) + address(src) + bytes(6) + address(dst)
    return ethernet("ff:ff:ff:ff:ff:ff", src_mac, body, ETH_ARP)


# ---- network ----------------------------------------------------------------------

def ipv4(src, dst, proto, payload, options=b"", ttl=64, ident=1, flags=0, offset=0, length=None):
    """`offset` counts bytes; `flags` has 2 for don't fragment, 1 for more fragments."""
    options += bytes(-len(options) % 4)
    words = 5 + len(options) // 4
    total = words * 4 + len(payload) if length is None else length
    head = struct.pack("!BBHHHBBH", 0x40 | words, 0, total, ident, flags << 13 | offset // 8, ttl,
                       proto, 0) + address(src) + address(dst) + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ipv6(src, dst, next_header, payload, hop_limit=64, length=None):
    return struct.pack("!IHBB", 6 << 28, len(payload) if length is None else length, next_header,
                       hop_limit) + address(src) + address(dst) + payload


def ip(src, dst, proto, payload, **more):
    """Either family, by the addresses."""
    return ipv6(src, dst, proto, payload, **more) if ":" in src else \
        ipv4(src, dst, proto, payload, **more)


def options_header(next_header, payload, options=b""):
    """A hop-by-hop or destination options header; which, says the header before it."""
    pad = -(len(options) + 2) % 8
    options += b"" if pad == 0 else b"\0" if pad == 1 else bytes([1, pad - 2]) + bytes(pad - 2)
    return bytes([next_header, (len(options) + 2) // 8 - 1]) + options + payload


def routing_header(next_header, payload, kind=0, left=0):
    return bytes([next_header, 0, kind, left, 0, 0, 0, 0]) + payload


def fragment_header(next_header, payload, offset=0, more=False, ident=1):
    return struct.pack("!BBHI", next_header, 0, offset | more, ident) + payload


def fragments(src, dst, proto, payload, size, ident=7):
    """The payload as one or more IP packets of at most `size` bytes of it each; `size` in eights."""
    made = []
    for at in range(0, max(1, len(payload)), size):
        part, more = payload[at:at + size], at + size < len(payload)
        if ":" in src:
            made.append(ipv6(src, dst, FRAGMENT, fragment_header(proto, part, at, more, ident)))
        else:
            made.append(ipv4(src, dst, proto, part, ident=ident, flags=int(more), offset=at))
    return made


# ---- transport --------------------------------------------------------------------

def tcp(src, dst, src_port, dst_port, flags="S", seq=1, ack=0, options=b"", payload=b""):
    options += bytes(-len(options) % 4)
    bits = sum(FLAGS[letter] for letter in flags)
    head = struct.pack("!HHIIBBHHH", src_port, dst_port, seq, ack, (5 + len(options) // 4) << 4,
                       bits, 65535, 0, 0) + options + payload
    return head[:16] + struct.pack("!H", transport_sum(src, dst, TCP, head)) + head[18:]


def udp(src, dst, src_port, dst_port, payload=b"", length=None):
    head = struct.pack("!HHHH", src_port, dst_port,
                       8 + len(payload) if length is None else length, 0) + payload
    found = transport_sum(src, dst, UDP, head) or 0xFFFF
    return head[:6] + struct.pack("!H", found) + head[8:]


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def sctp_init(src_port, dst_port, tag_value=1):
    chunk = struct.pack("!BBHIIHHI", 1, 0, 20, tag_value, 65536, 1, 1, 1)
    packet = struct.pack("!HHII", src_port, dst_port, 0, 0) + chunk
    return packet[:8] + struct.pack("<I", crc32c(packet)) + packet[12:]


def icmp(kind, code, rest=bytes(4), payload=b""):
    head = struct.pack("!BBH", kind, code, 0) + rest + payload
    return head[:2] + struct.pack("!H", checksum(head)) + head[4:]


def icmp6(src, dst, kind, code, rest=bytes(4), payload=b""):
    head = struct.pack("!BBH", kind, code, 0) + rest + payload
    return head[:2] + struct.pack("!H", transport_sum(src, dst, ICMP6, head)) + head[4:]


def echo_request(src, dst, ident=1, payload=b"ping"):
    """The whole packet, of the addresses' family."""
    rest = struct.pack("!HH", ident, 1)
    if ":" in src:
        return ipv6(src, dst, ICMP6, icmp6(src, dst, 128, 0, rest, payload))
    return ipv4(src, dst, ICMP, icmp(8, 0, rest, payload))


def unreachable(src, dst, quoted, code=None):
    """Port unreachable from `src`, quoting the start of a packet; the whole packet."""
    if ":" in src:
        body = icmp6(src, dst, 1, 4 if code is None else code, payload=quoted[:1200])
        return ipv6(src, dst, ICMP6, body)
    return ipv4(src, dst, ICMP, icmp(3, 3 if code is None else code, payload=quoted[:28]))


def neighbour_solicitation(src_mac, src, dst, hop_limit=255):
    """Asks who has `dst`, to its solicited-node group; the whole frame."""
    low = address(dst)[-3:]
    group = str(ipaddress.ip_address(bytes.fromhex("ff0200000000000000000001ff") + low))
    body = icmp6(src, group, 135, 0, payload=address(dst) + b"\x01\x01" + mac(src_mac))
    group_mac = "33:33:ff:" + ":".join(f"{b:02x}" for b in low)
    return ethernet(group_mac, src_mac, ipv6(src, group, ICMP6, body, hop_limit=hop_limit))


def router_advertisement(src_mac, src, hop_limit=255):
    """An advertisement to all nodes that offers no route; the whole frame."""
    group = "ff02::1"
    body = icmp6(src, group, 134, 0, struct.pack("!BBH", 64, 0, 0), bytes(8))
    return ethernet("33:33:00:00:00:01", src_mac,
                    ipv6(src, group, ICMP6, body, hop_limit=hop_limit))

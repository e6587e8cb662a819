# SPDX-License-Identifier: Apache-2.0
"""Single packets that nobody asked for: well-formed ones near a rule, and ones gone wrong."""
import struct

import packets
from ground import HOST, HOST_MAC, SECOND, SENDER_MAC
from policies import aimed
from steps import arrival

FLAGS = ("S", "S", "S", "S", "S", "SP", "SU", "A", "PA", "R", "RA", "FA", "F", "", "SF", "SR", "FPU",
         "SA", "FR", "SFRPAU", "U", "P")
GROUPS = {4: ("224.0.0.1", "255.255.255.255", "10.1.0.255", "239.1.2.3"),
          6: ("ff02::1", "ff02::1:ff00:1", "ff0e::1")}
ODD_SOURCES = {4: ("10.1.0.1", "10.1.0.9", "127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "224.0.0.5",
                   "255.255.255.255", "240.1.2.3", "10.1.0.255", "169.254.7.7"),
               6: ("fd00:1::1", "fd00:1::9", "::1", "::", "ff02::5", "::ffff:10.2.3.77", "::10.2.3.77",
                   "fe80::77", "2002:7f00:1::1")}
OPTIONS = (b"\x94\x04\0\0", b"\x07\x07\x04" + bytes(4), b"\x44\x08\x05\0" + bytes(4), b"\1\1\1\1",
           b"\x83\x07\x04\x0a\1\0\2", b"\x88\x04\0\1", b"\x94\x04\0\0\1\1\1\1", b"\x07\x22\x04" + bytes(1))


def quoted(dice, src, dst):
    """Something that the host might have sent to `src`."""
    if dice.random() < 0.5:
        body = packets.udp(dst, src, dice.randint(1, 65535), dice.randint(1, 65535), b"x" * 8)
        return packets.ip(dst, src, packets.UDP, body)
    body = packets.tcp(dst, src, dice.randint(1, 65535), dice.randint(1, 65535))
    return packets.ip(dst, src, packets.TCP, body)


def icmp_body(dice, src, dst, kind, sound=True):
    rest = struct.pack("!HH", dice.randint(0, 65535), 1)
    code = 0 if dice.random() < (0.5 if kind == 13 else 0.8) else dice.randint(0, 16)
    errors = (1, 2, 3, 4) if ":" in src else (3, 5, 11, 12)
    payload = quoted(dice, src, dst) if kind in errors else b"payload of nothing"
    if ":" in src:
        return packets.icmp6(src, dst, kind, code, rest, payload)
    return packets.icmp(kind, code, rest, payload)


def sctp_chunk(dice, sport, dport):
    if dice.random() < 0.6:
        return packets.sctp_init(sport, dport)
    chunk = struct.pack("!BBH", dice.choice((0, 2, 3, 5, 6, 8, 10)), 0, 16) + bytes(12)
    packet = struct.pack("!HHII", sport, dport, 7, 0) + chunk
    return packet[:8] + struct.pack("<I", packets.crc32c(packet)) + packet[12:]


def transport(dice, src, dst, proto, port):
    sport = dice.randint(1024, 65535)
    if proto == packets.TCP:
        flags = dice.choice(FLAGS)
        return packets.tcp(src, dst, sport, port, flags, seq=dice.getrandbits(32),
                           ack=dice.getrandbits(32) if "A" in flags else 0,
                           options=b"\2\4\5\xb4" if dice.random() < 0.3 else b"",
                           payload=b"x" * dice.choice((0, 0, 0, 5)))
    if proto == packets.UDP:
        if dice.random() < 0.1:
            sport, port = dice.choice(((67, 68), (547, 546), (53, port)))
        return packets.udp(src, dst, sport, port, b"y" * dice.choice((0, 1, 30)))
    if proto == 136:
        body = packets.udp(src, dst, sport, port, b"z" * 9)
        body = body[:4] + b"\0\0\0\0" + body[8:]
        total = packets.transport_sum(src, dst, 136, body) or 0xFFFF
        return body[:6] + struct.pack("!H", total) + body[8:]
    if proto == packets.SCTP:
        return sctp_chunk(dice, sport, port)
    if proto in (packets.ICMP, packets.ICMP6):
        return icmp_body(dice, src, dst, port)
    if proto == 47 and dice.random() < 0.5:
        return bytes([0x30, dice.choice((0, 1, 0x81))]) + b"\x88\x0b" + bytes(12)
    return bytes(dice.getrandbits(8) for _ in range(dice.choice((0, 8, 24))))


def spoil_transport(dice, body):
    way = dice.choice(("sum", "sum", "length", "short", "offset"))
    if way == "short":
        return body[:dice.randint(0, max(0, min(len(body) - 1, 20)))]
    if len(body) < 16:
        return body
    at = {"sum": dice.choice((6, 16)), "length": 4, "offset": 12}[way]
    spoiled = bytearray(body)
    spoiled[min(at, len(body) - 1)] ^= dice.choice((1, 0x10, 0x80, 0xF0))
    return bytes(spoiled)


def wrap_extensions(dice, proto, body):
    """(next header, payload) with headers of IPv6 before it, sound or not."""
    kinds = [dice.choice((0, 43, 51, 60, 60, 44)) for _ in range(dice.choice((1, 1, 2, 3, 9, 10)))]
    if dice.random() < 0.7:  # where the RFC wants it
        kinds = [k for k in kinds if k != 0]
        kinds = ([0] if dice.random() < 0.5 else []) + kinds
    for kind in reversed(kinds):
        if kind == 44:
            body = packets.fragment_header(proto, body, 0, False, dice.getrandbits(32))
        elif kind == 43:
            body = packets.routing_header(proto, body, dice.choice((0, 2, 3, 4, 253)),
                                          dice.choice((0, 0, 1)))
        elif kind == 51:
            body = struct.pack("!BBHII", proto, 4, 0, 1, 1) + bytes(12) + body
        else:
            alert = b"\x05\x02\0\0" if kind == 0 and dice.random() < 0.4 else b""
            body = packets.options_header(proto, body, alert)
        proto = kind
    return proto, body


def lengthened(src, dst, proto, body):
    """With enough to it for several fragments, and its checksum right again."""
    if len(body) < 8:  # bare of ports: any bytes will do
        return body + bytes(40 - len(body))
    more = bytes(-len(body) % 8 + 32)
    if proto == packets.UDP:
        sport, dport = struct.unpack_from("!HH", body)
        return packets.udp(src, dst, sport, dport, body[8:] + more)
    at = {packets.TCP: 16, packets.ICMP: 2, packets.ICMP6: 2, 136: 6}.get(proto)
    body += more
    if at is None or at + 2 > len(body):
        return body
    body = body[:at] + b"\0\0" + body[at + 2:]
    found = packets.checksum(body) if proto == packets.ICMP else \
        packets.transport_sum(src, dst, proto, body) or 0xFFFF
    return body[:at] + struct.pack("!H", found) + body[at + 2:]


def fragmented(dice, src, dst, proto, body):
    """All pieces, or not all."""
    pieces = packets.fragments(src, dst, proto, body, dice.choice((8, 16, 24)), dice.getrandbits(16))
    way = dice.choice(("all", "all", "first", "later", "backwards"))
    if way == "first" or len(pieces) == 1:  # what was spoiled may be short
        return pieces[:1]
    if way == "later":
        return pieces[1:]
    return pieces[::-1] if way == "backwards" else pieces


def labelled(packet, label):
    """With the label where its family has room for one, and the header's sum made right."""
    if packet[0] >> 4 == 6:
        return packet[:1] + bytes([packet[1] & 0xF0 | label >> 16]) + \
            struct.pack("!H", label & 0xFFFF) + packet[4:]
    head = packet[:4] + struct.pack("!H", label & 0xFFFF) + packet[6:]
    size = (packet[0] & 15) * 4
    found = packets.checksum(head[:10] + b"\0\0" + head[12:size])
    return head[:10] + struct.pack("!H", found) + head[12:]


def spoil_network(dice, packet):
    way = dice.choice(("total", "hops", "hops", "sum", "trailer"))
    spoiled = bytearray(packet)
    v6 = packet[0] >> 4 == 6
    if way == "trailer":
        return packet + bytes(dice.randint(1, 30))
    if way == "hops":
        spoiled[7 if v6 else 8] = dice.choice((0, 1, 255))
    elif way == "total":
        at = 5 if v6 else 3
        spoiled[at] = max(0, min(255, spoiled[at] + dice.choice((-30, -8, -1, 1, 40))))
    elif not v6:
        spoiled[10] ^= 0xFF
        return bytes(spoiled)
    return bytes(spoiled)


def link(dice, packet, dst):
    """The frame; what is for a group goes in a group frame."""
    to = HOST_MAC
    if dst.startswith("ff"):
        to = "33:33:00:00:00:01"
    elif dst.split(".")[0] in ("224", "239"):
        to = "01:00:5e:00:00:01"
    elif dst.endswith(".255"):
        to = "ff:ff:ff:ff:ff:ff"
    if dice.random() < 0.03:
        to = dice.choice(("ff:ff:ff:ff:ff:ff", "33:33:00:00:00:01", "01:00:5e:00:00:01",
                          "02:00:00:00:0a:99"))
    frame = packets.ethernet(to, SENDER_MAC, packet)
    if dice.random() < 0.06:
        for _ in range(dice.choice((1, 1, 2, 3, 4))):
            frame = packets.tag(frame, dice.choice((0, 0, 0, 5)),
                                dice.choice((packets.ETH_VLAN, packets.ETH_QINQ)))
    return frame


def stray(dice, policy, label):
    family = dice.choice((4, 6))
    _, src, proto, port = aimed(dice, policy, "ingress", family)
    if dice.random() < 0.06:
        src = dice.choice(ODD_SOURCES[family])
    dst = HOST[family] if dice.random() < 0.85 else dice.choice(
        (SECOND[family],) + GROUPS[family] + (("10.9.9.9",) if family == 4 else ("fd00:9::9",)))
    if dice.random() < 0.03:  # what aiming at rules would hit too seldom
        proto, port = (packets.ICMP, dice.choice((13, 13, 15))) if family == 4 and dice.random() < 0.6 \
            else (packets.ICMP6, dice.choice((130, 135, 143))) if family == 6 and dice.random() < 0.6 \
            else (47, 0)
    if proto == packets.ICMP6 and port in (130, 143):
        src = "fe80::77"
    made = composed(dice, src, dst, proto, port, label)
    return arrival(label, [link(dice, packet, dst) for packet in made], answered=True)


def composed(dice, src, dst, proto, port, label):
    """IP packets: one, or the fragments of one; sound, or gone wrong somewhere."""
    family, body = 6 if ":" in src else 4, transport(dice, src, dst, proto, port)
    cut = dice.random() < 0.08
    if cut:
        body = lengthened(src, dst, proto, body)
    if dice.random() < 0.12:
        body = spoil_transport(dice, body)
    group = proto == packets.ICMP6 and port in (130, 143)
    more = {"ttl": 1} if family == 4 and proto == 2 and dice.random() < 0.5 else {}
    if family == 6 and proto == packets.ICMP6 and dice.random() < 0.4:
        more = {"hop_limit": 1 if group else dice.choice((1, 255, 255))}
    if cut:
        made = fragmented(dice, src, dst, proto, body)
    elif family == 4:
        if dice.random() < 0.1:
            more["options"] = dice.choice(OPTIONS)
        made = [packets.ipv4(src, dst, proto, body, **more)]
    else:
        if dice.random() < (0.5 if proto == packets.ICMP6 and port == 135 else 0.15):
            proto, body = wrap_extensions(dice, proto, body)
        if proto == 0 and dice.random() < 0.05:
            more["length"] = 0
        made = [packets.ipv6(src, dst, proto, body, **more)]
    made = [labelled(packet, label) for packet in made]
    if len(made) == 1 and dice.random() < 0.08:
        made = [spoil_network(dice, made[0])]
    return made


def strays(dice, policy, labels, number):
    def one():
        yield stray(dice, policy, next(labels))
    return [one() for _ in range(number)]

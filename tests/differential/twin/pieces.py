# SPDX-License-Identifier: Apache-2.0
"""Fragments as the datagrams they are of, since one wall is passed by pieces and the other by wholes."""
import struct

from decode import FRAGMENT, decode_ip


def cut_at(packet):
    """Where in its bytes the piece begins, and where they end."""
    if packet.family == 4:
        return (packet.data[0] & 15) * 4, struct.unpack_from("!H", packet.data, 2)[0]
    at = 40
    for number, data in packet.extensions:
        at += len(data)
        if number == FRAGMENT:
            break
    return at, 40 + struct.unpack_from("!H", packet.data, 4)[0]


def piece_of(packet):
    start, end = cut_at(packet)
    return packet.data[start:end]


def is_piece(packet):
    """An atomic fragment is a whole packet."""
    return packet.fragment is not None and packet.fragment != (0, False)


def datagram_of(packet):
    """What the pieces of one datagram have in common."""
    start, _ = cut_at(packet)
    ident = packet.label if packet.family == 4 else packet.data[start - 4:start]
    return packet.src, packet.dst, packet.label, ident


def joined(pieces):
    """The datagram, or None when some of it is missing."""
    body = b""
    for piece in sorted(pieces, key=lambda p: p.fragment[0]):
        if piece.fragment[0] != len(body):
            return None
        body += piece_of(piece)
        last = piece
    if last.fragment[1]:
        return None
    first = next(p for p in pieces if p.fragment[0] == 0)
    start, _ = cut_at(first)
    head = bytearray(first.data[:start])
    if first.family == 4:
        head[2:4], head[6:8] = struct.pack("!H", start + len(body)), b"\0\0"
    else:
        head[4:6], head[start - 6:start - 4] = struct.pack("!H", start - 40 + len(body)), b"\0\0"
    whole = decode_ip(bytes(head) + body)
    # One piece that is dropped for its frame takes the datagram with it.
    whole.dst_mac = max((p.dst_mac for p in pieces), key=lambda mac: bool(mac) and mac[0] & 1)
    whole.tags = max((p.tags for p in pieces), key=len)
    whole.fragment, whole.step = (pieces[0].fragment[0], True), len(piece_of(first))
    return whole


def put_together(packets):
    """Each datagram once, at its first piece, if all of it is there; whole packets as they are."""
    groups = {}
    for packet in packets:
        key = datagram_of(packet) if is_piece(packet) else id(packet)
        groups.setdefault(key, []).append(packet)
    made = [joined(group) if is_piece(group[0]) else group[0] for group in groups.values()]
    return [packet for packet in made if packet is not None]

# SPDX-License-Identifier: Apache-2.0
"""Flows: what the host opens and what it answers, and what others make of a flow.

What a packet does not show is in a step's note: "reply" follows an open flow as
its RFC has it, "window" is beyond what the peer may send, "reused" opens where
something is open, "half-open" comes before a handshake is done, "forged" quotes
what was never sent, "unsent" an answer that was not, "unasked" answers nobody.
"""
import errno
import socket
import struct
from dataclasses import dataclass, field

import packets
from decode import WITH_PORTS
from ground import HOST, HOST_MAC, SENDER_MAC
from policies import UNITS, USERS, aimed
from steps import IN, Step, arrival, departure
from strays import labelled, transport

FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
IP_HDRINCL, IPV6_DSTOPTS, IPV6_HDRINCL = 3, 59, 36
SENDERS = (0,) + USERS
MULTICAST = {4: "239.1.2.3", 6: "ff05::1:3"}


@dataclass
class Scene:
    """What the stories of a round share."""
    ground: object
    dice: object
    policy: object
    labels: object                      # numbers that no other step of the round has
    ports: object                       # the host's, likewise
    sockets: list = field(default_factory=list)
    parted: set = field(default_factory=set)    # routed, without ports: where the twins' NAT differs

    def pair(self, family, kind, proto=0, bound=None, uid=0, unit=UNITS[0]):
        """A socket on each side, alike; None where the machine or its NAT has no room for them."""
        if self.policy.nat is not None and any(p == bound for _, p in self.policy.nat.published):
            return None
        made = {}
        for side in self.ground.sides:
            sock = side.makers[unit].socket(FAMILY[family], kind, proto, uid)
            sock.setblocking(False)
            self.sockets.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if bound is not None:
                try:
                    sock.bind((HOST[family], bound))
                except OSError as error:
                    if error.errno == errno.EADDRINUSE:
                        return None
                    raise
            made[side.name] = sock
        return made

    def close(self):
        for sock in self.sockets:
            sock.close()
        self.sockets.clear()

    def peer(self, direction, family, proto):
        """An address and port near the rules, for that protocol; nothing of the host's own."""
        while True:
            _, peer, _, port = aimed(self.dice, self.policy, direction, family)
            if is_outside(peer):
                return peer, max(1, port)

    def ip(self, src, dst, proto, body):
        label = next(self.labels)
        return label, labelled(packets.ip(src, dst, proto, body), label)

    def arrival(self, src, dst, proto, body, note="", answered=False):
        label, packet = self.ip(src, dst, proto, body)
        return arrival(label, [ethernet(packet)], note, answered)

    def tailored(self, src, dst, proto, make, note=""):
        """As arrival, with a body for each side, whose sequence numbers differ."""
        label = next(self.labels)

        def act(side):
            return [ethernet(labelled(packets.ip(src, dst, proto, make(side.name)), label))]
        return Step(IN, act, lambda p: p.label == label, note)


def is_outside(address):
    return address not in HOST.values() and not is_odd(address)


def is_odd(address):
    """What is no host's address, or reaches none by the gateway."""
    if ":" in address:
        return address.startswith(("ff", "fe8", "fe9", "fea", "feb", "::"))
    first = int(address.split(".")[0])
    return first in (0, 127) or first >= 224 or address.startswith("10.1.0.")


def ethernet(packet):
    return packets.ethernet(HOST_MAC, SENDER_MAC, packet)


def error(scene, family, dst, quoted, note):
    """An ICMP error from the one that the quoted packet went to."""
    kind, code = scene.dice.choice(((3, 1), (3, 3), (11, 0)) if family == 4 else ((1, 0), (1, 4), (3, 0)))
    if family == 4:
        body = packets.icmp(kind, code, payload=quoted[:28])
        return scene.arrival(dst, HOST[4], packets.ICMP, body, note)
    body = packets.icmp6(dst, HOST[6], kind, code, payload=quoted[:1000])
    return scene.arrival(dst, HOST[6], packets.ICMP6, body, note)


# ---- datagrams ------------------------------------------------------------------------

def udp_out(scene):
    """The host asks; its peer and others answer."""
    dice, family = scene.dice, scene.dice.choice((4, 6))
    dst, port = scene.peer("egress", family, packets.UDP)
    sport, payload = next(scene.ports), b"question %d" % next(scene.labels)
    pair = scene.pair(family, socket.SOCK_DGRAM, bound=sport, uid=dice.choice(SENDERS), unit=dice.choice(UNITS))
    if pair is None:
        return
    asked = yield departure(lambda side: pair[side.name].sendto(payload, (dst, port)),
                            lambda p: p.proto == packets.UDP and p.body[8:] == payload)
    sent = packets.ip(HOST[family], dst, packets.UDP, packets.udp(HOST[family], dst, sport, port, payload))

    def answer(src, from_port, note=""):
        body = packets.udp(src, HOST[family], from_port, sport, b"answer")
        return scene.arrival(src, HOST[family], packets.UDP, body, note, answered=True)
    for _ in range(3):
        way = dice.choice(("peer", "peer", "port", "address", "error", "forged"))
        if way == "peer":
            yield answer(dst, port, "reply" if asked.both else "")
        elif way == "port":
            yield answer(dst, port % 65535 + 1)
        elif way == "address":
            other, _ = scene.peer("ingress", family, packets.UDP)
            yield answer(other, port)
        elif way == "error":
            yield error(scene, family, dst, sent, "related" if asked.both else "forged")
        else:
            body = packets.udp(HOST[family], dst, sport ^ 1, port, payload)
            yield error(scene, family, dst, packets.ip(HOST[family], dst, packets.UDP, body), "forged")


def udp_in(scene):
    """A service of the host is asked, or not, and answers."""
    dice, family = scene.dice, scene.dice.choice((4, 6))
    src, _ = scene.peer("ingress", family, packets.UDP)
    _, port = scene.peer("ingress", family, packets.UDP)
    from_port = next(scene.ports)
    pair = scene.pair(family, socket.SOCK_DGRAM, bound=port)
    if pair is None:
        return
    asked = False
    if dice.random() < 0.7:
        body = packets.udp(src, HOST[family], from_port, port, b"asks")
        asked = (yield scene.arrival(src, HOST[family], packets.UDP, body)).both
    answer = packets.ip(HOST[family], src, packets.UDP, packets.udp(HOST[family], src, port, from_port, b"answer"))
    if dice.random() < 0.2:
        yield error(scene, family, src, answer, "unsent")
    payload = b"answer %d" % next(scene.labels)
    yield departure(lambda side: pair[side.name].sendto(payload, (src, from_port)),
                    lambda p: p.proto == packets.UDP and p.body[8:] == payload,
                    "reply" if asked else "unasked")
    yield error(scene, family, src, answer, "related")
    body = packets.udp(src, HOST[family], from_port, port, b"asks again")
    yield scene.arrival(src, HOST[family], packets.UDP, body)


def ping_out(scene):
    dice, family = scene.dice, scene.dice.choice((4, 6))
    dst, _ = scene.peer("egress", family, None)
    ident = next(scene.ports)
    proto, kind, answers = (packets.ICMP, 8, 0) if family == 4 else (packets.ICMP6, 128, 129)
    if family == 4 and dice.random() < 0.3:
        kind, answers = 13, 14  # the time; its body is 12 bytes
    pair = scene.pair(family, socket.SOCK_RAW, proto, bound=0)
    rest = struct.pack("!HH", ident, 1)
    body = packets.icmp(kind, 0, rest, b"ping" * 3) if family == 4 else \
        packets.icmp6(HOST[6], dst, kind, 0, rest, b"ping" * 3)
    asked = yield departure(lambda side: pair[side.name].sendto(body, (dst, 0)),
                            lambda p: p.kind == kind and p.ident == ident and p.dst == dst)
    wrong = dice.random() < 0.4
    rest = struct.pack("!HH", ident ^ wrong, 1)
    body = packets.icmp(answers, 0, rest, b"ping" * 3) if family == 4 else \
        packets.icmp6(dst, HOST[6], answers, 0, rest, b"ping" * 3)
    yield scene.arrival(dst, HOST[family], proto, body, "reply" if asked.both and not wrong else "")


def raw_out(scene):
    """A protocol that has no socket type of its own."""
    dice, family = scene.dice, scene.dice.choice((4, 6))
    _, dst, proto, port = aimed(dice, scene.policy, "egress", family)
    if is_odd(dst) or proto in (1, 58, 255, 2, 47):
        return
    pair = scene.pair(family, socket.SOCK_RAW, proto, bound=0)
    body = transport(dice, HOST[family], dst, proto, port)
    if proto not in WITH_PORTS:
        body = b"raw %08d" % next(scene.labels)
    sent = yield departure(lambda side: pair[side.name].sendto(body, (dst, 0)),
                           lambda p: p.dst == dst and p.proto == proto and p.body == body, "raw")
    if proto not in WITH_PORTS:
        yield scene.arrival(dst, HOST[family], proto, b"reply" * 4, "reply" if sent.both else "")


def odd_out(scene):
    """Datagrams with something to them."""
    dice, family = scene.dice, scene.dice.choice((4, 4, 6))
    dst, port = scene.peer("egress", family, packets.UDP)
    sport, payload = next(scene.ports), b"odd %d " % next(scene.labels)
    pair = scene.pair(family, socket.SOCK_DGRAM, bound=sport)
    if pair is None:
        return
    way = dice.choice(("options", "big", "multicast", "broadcast", "dhcp", "packet socket"))
    if way == "options":
        option = dice.choice((b"\1\1\1\1", b"\x94\4\0\0"))
        for sock in pair.values():
            if family == 4:
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, option)
            else:
                sock.setsockopt(socket.IPPROTO_IPV6, IPV6_DSTOPTS, b"\0\0\1\4\0\0\0\0")
    elif way == "big":
        payload += b"z" * 3000
    elif way == "multicast":
        dst = MULTICAST[family]
    elif way == "broadcast" and family == 4:
        dst = dice.choice(("255.255.255.255", "10.1.0.255"))
    elif way == "dhcp":
        port = 67 if family == 4 else 547
    elif way == "packet socket":
        body = packets.udp(HOST[family], dst, sport, port, payload)
        frame = packets.ethernet(SENDER_MAC, HOST_MAC, packets.ip(HOST[family], dst, packets.UDP, body))
        yield departure(lambda side: side.back.send(frame), lambda p: p.sport == sport and p.dst == dst, way)
        return
    yield departure(lambda side: pair[side.name].sendto(payload, (dst, port)),
                    lambda p: p.proto == packets.UDP and p.sport == sport and p.dst == dst, way)


# ---- connections ------------------------------------------------------------------------

def numbers(packet):
    return struct.unpack_from("!II", packet.body, 4)


class Connection:
    """TCP as the peer speaks it; what the host said differs from side to side."""

    def __init__(self, scene, family, peer, peer_port, port, ours=1000):
        self.scene, self.family, self.peer = scene, family, peer
        self.peer_port, self.port, self.ours = peer_port, port, ours
        self.theirs = {"a": 0, "b": 0}  # what the host sends next

    def heard(self, found):
        """The host's SYN or SYN-ACK."""
        for name, heard in found.items():
            self.theirs[name] = numbers(heard[0])[0] + 1 & 0xFFFFFFFF

    def say(self, flags, note="reply", ours=0, theirs=0, payload=b""):
        """A segment, `ours` and `theirs` off from where it belongs."""
        def make(name):
            return packets.tcp(self.peer, HOST[self.family], self.peer_port, self.port, flags,
                               seq=self.ours + ours & 0xFFFFFFFF,
                               ack=self.theirs[name] + theirs & 0xFFFFFFFF if "A" in flags else 0,
                               payload=payload)
        return self.scene.tailored(self.peer, HOST[self.family], packets.TCP, make, note)


def go_on(scene, connection):
    """An established connection, and what may happen to it."""
    for _ in range(3):
        way = scene.dice.choice(("data", "data", "window", "syn", "reset", "far reset", "end", "nonsense"))
        if way == "data":
            yield connection.say("PA", payload=b"data")
            connection.ours += 4
        elif way == "window":
            yield connection.say("A", "window", ours=scene.dice.choice((-2 ** 30, 2 ** 30)))
            yield connection.say("A", "window", theirs=2 ** 30)
        elif way == "syn":
            yield connection.say("S", "reused", ours=2 ** 28)
        elif way == "far reset":
            yield connection.say("R", "window", ours=2 ** 30)
        elif way == "nonsense":
            yield connection.say(scene.dice.choice(("FR", "F", "", "FPU", "SF", "FRA")), "nonsense")
            return
        elif way == "end":
            yield connection.say("FA")
            return
        else:
            yield connection.say("R")
            return


def tcp_out(scene):
    dice, family = scene.dice, scene.dice.choice((4, 6))
    dst, port = scene.peer("egress", family, packets.TCP)
    sport = next(scene.ports)
    if dice.random() < 0.3:  # where the rules may let a SYN in, too
        sport = (sport - 20001) // 2 + 2000
    pair = scene.pair(family, socket.SOCK_STREAM, bound=sport, uid=dice.choice(SENDERS), unit=dice.choice(UNITS))
    if pair is None:
        return
    opened = yield departure(lambda side: pair[side.name].connect((dst, port)),
                             lambda p: p.proto == packets.TCP and p.sport == sport and p.dst == dst)
    connection = Connection(scene, family, dst, port, sport)
    if not opened.both:
        yield connection.say(dice.choice(("SA", "RA", "A")), "")
        return
    connection.heard(opened.seen)
    way = dice.choice(("answer", "answer", "answer", "refuse", "wrong", "error", "forged", "cross"))
    if way == "refuse":
        yield connection.say("RA", ours=-1000)
    elif way == "wrong":
        yield connection.say("SA", "window", theirs=77)
    elif way == "cross":
        yield connection.say("S", "reused")
    elif way in ("error", "forged"):
        syn = opened.packet.data if way == "error" else packets.ip(
            HOST[family], dst, packets.TCP, packets.tcp(HOST[family], dst, sport, port ^ 1))
        yield error(scene, family, dst, syn, "related" if way == "error" else "forged")
    else:
        yield connection.say("SA")
        connection.ours += 1
        yield from go_on(scene, connection)


def dhcp_out(scene):
    """A lease is renewed with its server; the server is gone."""
    dst = f"10.2.{scene.dice.randint(0, 255)}.{scene.dice.randint(1, 254)}"
    pair = scene.pair(4, socket.SOCK_DGRAM, bound=68)
    if pair is None:
        return
    payload = b"renews %d" % next(scene.labels)
    asked = yield departure(lambda side: pair[side.name].sendto(payload, (dst, 67)),
                            lambda p: p.proto == packets.UDP and p.body[8:] == payload)
    sent = packets.ip(HOST[4], dst, packets.UDP, packets.udp(HOST[4], dst, 68, 67, payload))
    yield error(scene, 4, dst, sent, "related" if asked.both else "forged")


def tcp_in(scene):
    dice, family = scene.dice, scene.dice.choice((4, 6))
    src, _ = scene.peer("ingress", family, packets.TCP)
    _, port = scene.peer("ingress", family, packets.TCP)
    pair = scene.pair(family, socket.SOCK_STREAM, bound=port)
    if pair is None:
        return
    for sock in pair.values():
        try:
            sock.listen(64)
        except OSError:
            return  # another story of this port listens
    connection = Connection(scene, family, src, next(scene.ports), port)
    if dice.random() < 0.2:
        connection.theirs = dict.fromkeys("ab", dice.getrandbits(32))
        yield connection.say(dice.choice(("A", "PA", "RA", "FA", "SA")), "")
        return
    opened = yield connection.say("S")
    if not opened.both or not all(opened.replies.values()):
        return
    connection.heard(opened.replies)
    connection.ours += 1
    way = dice.choice(("finish", "finish", "finish", "wrong", "reset", "again"))
    if way == "finish":
        yield connection.say("A")
        yield from go_on(scene, connection)
    elif way == "wrong":
        yield connection.say("A", "half-open", theirs=1234)
    elif way == "again":
        yield connection.say("S", "reused", ours=-1)
    else:
        yield connection.say("R")


KINDS = (udp_out, udp_out, udp_in, ping_out, raw_out, odd_out, tcp_out, tcp_out, tcp_in, tcp_in) * 3 \
    + (dhcp_out,)


def stories(scene, number):
    return [scene.dice.choice(KINDS)(scene) for _ in range(number)]

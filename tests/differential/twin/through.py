# SPDX-License-Identifier: Apache-2.0
"""What the hosts route between the outside and the box: flows, strays, and what quotes them.

The sender is both ends, so each segment is the same for both twins. The notes
are those of stories.py. Behind NAT the ends know the box by different addresses.
"""
import struct
from dataclasses import dataclass

import packets
from ground import HOST
from routes import BOX, BOX_MAC, INSIDE, INSIDE_MAC, aimed_through
from decode import WITH_PORTS
from steps import FROM_BOX, TO_BOX, Step
from stories import ethernet, is_outside
from strays import ODD_SOURCES, composed, labelled, link

DONT_FRAGMENT = 2
TOO_LONG = 1480     # for the box's cable, not for the one outside
ERRORS = {4: ((3, 1), (3, 3), (3, 4), (11, 0)), 6: ((1, 0), (1, 4), (2, 0), (3, 0))}


def routed(label, frames, way, src, dst, note="", answered=False):
    """Frames that one end sends to the other; NAT may change whom they are from, or for."""
    if way == TO_BOX:
        return Step(way, lambda side: frames, lambda p: p.label == label and p.src == src, note, answered)
    return Step(way, lambda side: frames, lambda p: p.label == label and p.dst == dst, note, answered)


def tuple_of(one, other, proto):
    """As conntrack's NAT finds what has no ports, whichever way it goes."""
    return frozenset((one, other)), proto


@dataclass
class Path:
    """The two ends of what is routed, each as (address, port); `shown` is the box's as outside sees it."""
    scene: object
    family: int
    proto: int
    opens: str              # TO_BOX or FROM_BOX: the way of what opens
    peer: tuple
    box: tuple
    shown: tuple

    @property
    def back(self):
        return FROM_BOX if self.opens == TO_BOX else TO_BOX

    def ends(self, way):
        """(source, source port, destination, destination port) of what is sent that way."""
        (src, sport), (dst, dport) = (self.peer, self.shown) if way == TO_BOX else (self.box, self.peer)
        return src, sport, dst, dport

    def arrived(self, way):
        """The same as the other end sees them."""
        (src, sport), (dst, dport) = (self.peer, self.box) if way == TO_BOX else (self.shown, self.peer)
        return src, sport, dst, dport

    def send(self, way, make, note="", answered=False, proto=None, **more):
        """`make(source, source port, destination, destination port)` is the body."""
        ends = self.ends(way)
        body = make(*ends)
        label = next(self.scene.labels)
        packet = labelled(packets.ip(ends[0], ends[2], proto or self.proto, body, **more), label)
        frame = ethernet(packet) if way == TO_BOX else packets.ethernet(INSIDE_MAC, BOX_MAC, packet)
        return routed(label, [frame], way, ends[0], ends[2], note, answered)

    def error(self, way, make, note):
        """An ICMP error about what `make` made and the other end sent."""
        dice, family = self.scene.dice, self.family
        src, sport, dst, dport = self.arrived(self.back if way == self.opens else self.opens)
        quoted = packets.ip(src, dst, self.proto, make(src, sport, dst, dport))
        kind, code = dice.choice(ERRORS[family])
        rest = struct.pack("!I", 1300)
        sender, _, receiver, _ = self.ends(way)
        if family == 4:
            return self.send(way, lambda *_: packets.icmp(kind, code, rest, quoted[:28]), note,
                             proto=packets.ICMP)
        return self.send(way, lambda *_: packets.icmp6(sender, receiver, kind, code, rest, quoted[:1000]),
                         note, proto=packets.ICMP6)


def path_of(scene, proto, service=None):
    """Near a forward rule, or by the NAT that there is; a port that no other path has at the opener."""
    dice, family, nat = scene.dice, scene.dice.choice((4, 6)), scene.policy.nat
    peer, box, _, port = aimed_through(dice, scene.policy, family, is_outside)
    port, free = service or max(1, port), next(scene.ports) + 1
    if dice.random() < 0.5:
        shown = (HOST[family] if nat is not None and nat.masquerade else box, free)
        return Path(scene, family, proto, FROM_BOX, (peer, port), (box, free), shown)
    published = [(shown, inner) for (name, shown), inner in (nat.published if nat else {}).items()
                 if {"tcp": packets.TCP, "udp": packets.UDP}[name] == proto]
    if published and dice.random() < 0.7:
        shown, inner = dice.choice(published)
        return Path(scene, family, proto, TO_BOX, (peer, free), (BOX[family], inner), (HOST[family], shown))
    return Path(scene, family, proto, TO_BOX, (peer, free), (box, port), (box, port))


def datagram(payload):
    return lambda src, sport, dst, dport: packets.udp(src, dst, sport, dport, payload)


def udp_through(scene):
    path, dice = path_of(scene, packets.UDP), scene.dice
    asks, answers, note, answered = datagram(b"asks"), datagram(b"answers"), "unasked", False
    if dice.random() < 0.8:
        asked = yield path.send(path.opens, asks, answered=True)
        note = "reply" if asked.both else "unasked"
    for _ in range(3):
        way = dice.choice(("reply", "reply", "other", "again", "error", "error back", "forged"))
        if way == "reply":
            answered = answered or (yield path.send(path.back, answers, note)).both
        elif way == "other":  # from a port that nobody asked
            yield path.send(path.back, lambda src, sport, dst, dport: packets.udp(
                src, dst, sport % 65535 + 1, dport, b"answers"), "unasked")
        elif way == "again":
            yield path.send(path.opens, asks)
        elif way == "error":
            yield path.error(path.back, asks, "related" if note == "reply" else "forged")
        elif way == "error back":
            yield path.error(path.opens, answers, "related" if answered else "unsent")
        else:
            yield path.error(path.back, lambda src, sport, dst, dport: packets.udp(
                src, dst, sport ^ 1, dport, b"asks"), "forged")


def ping_through(scene):
    """An echo or a time stamp, and what answers it."""
    path, dice, ident = path_of(scene, packets.ICMP), scene.dice, next(scene.ports)
    v6 = path.family == 6
    if v6:
        path.proto = packets.ICMP6
    asks, answers = (128, 129) if v6 else dice.choice(((8, 0), (8, 0), (8, 0), (13, 14)))

    def message(kind, number):
        rest = struct.pack("!HH", number, 1)
        if v6:
            return lambda src, _, dst, __: packets.icmp6(src, dst, kind, 0, rest, b"ping" * 3)
        return lambda *_: packets.icmp(kind, 0, rest, b"ping" * 3)
    note = "unasked"
    if dice.random() < 0.8:
        asked = yield path.send(path.opens, message(asks, ident), answered=True)
        note = "reply" if asked.both else "unasked"
    wrong = dice.random() < 0.3
    yield path.send(path.back, message(answers, ident ^ wrong), "unasked" if wrong else note)
    yield path.error(path.back, message(asks, ident), "related" if note == "reply" else "forged")


def raw_through(scene):
    """A protocol without connections, or SCTP's first two packets."""
    dice = scene.dice
    path = path_of(scene, packets.SCTP)
    _, _, proto, port = aimed_through(dice, scene.policy, path.family, is_outside)
    if proto == packets.SCTP:
        path.peer, path.box = ((path.peer[0], port), path.box) if path.opens == FROM_BOX else \
            (path.peer, (path.box[0], port))
        path.shown = path.shown if path.opens == FROM_BOX else path.box
        asked = yield path.send(path.opens, lambda _, sport, __, dport: packets.sctp_init(sport, dport))
        yield path.send(path.back, lambda _, sport, __, dport: init_ack(sport, dport),
                        "reply" if asked.both else "unasked")
        return
    if proto in WITH_PORTS + (1, 2, 47, 58, 255):
        return
    path.proto = proto
    if tuple_of(path.peer[0], path.box[0], proto) in scene.parted:
        return
    asked = yield path.send(path.opens, lambda *_: b"asks" * 6)
    yield path.send(path.back, lambda *_: b"answers!" * 3, "reply" if asked.both else "unasked")


def init_ack(sport, dport):
    made = bytearray(packets.sctp_init(sport, dport))
    made[4:8], made[12], made[8:12] = struct.pack("!I", 1), 2, bytes(4)
    made[8:12] = struct.pack("<I", packets.crc32c(bytes(made)))
    return bytes(made)


def long_through(scene):
    """Too long for the way in, and not to be cut: what does the host say?"""
    path = path_of(scene, packets.UDP)
    more = {"flags": DONT_FRAGMENT} if path.family == 4 else {}
    if path.opens == FROM_BOX:
        asked = yield path.send(FROM_BOX, datagram(b"asks"))
        yield path.send(TO_BOX, datagram(b"z" * (TOO_LONG - 48)), "reply" if asked.both else "unasked",
                        answered=True, **more)
    else:
        yield path.send(TO_BOX, datagram(b"z" * (TOO_LONG - 48)), answered=True, **more)


# ---- connections ------------------------------------------------------------------------

class Talk:
    """TCP between the two, with sequence numbers as they should be unless told otherwise."""

    def __init__(self, path):
        self.path = path
        self.next = {path.opens: path.scene.dice.getrandbits(31), path.back: path.scene.dice.getrandbits(31)}

    def say(self, way, flags, note="reply", off=0, ack_off=0, payload=b""):
        other = TO_BOX if way == FROM_BOX else FROM_BOX
        seq, ack = self.next[way] + off & 0xFFFFFFFF, self.next[other] + ack_off & 0xFFFFFFFF
        if off == 0:
            self.next[way] += len(payload) + ("S" in flags) + ("F" in flags)
        return self.path.send(way, lambda src, sport, dst, dport: packets.tcp(
            src, dst, sport, dport, flags, seq=seq, ack=ack if "A" in flags else 0, payload=payload), note)


def tcp_through(scene):
    path, dice = path_of(scene, packets.TCP), scene.dice
    talk = Talk(path)
    if dice.random() < 0.2:
        yield talk.say(dice.choice((path.opens, path.back)), dice.choice(("A", "PA", "RA", "R", "FA", "SA")), "")
        return
    opened = yield talk.say(path.opens, "S", "")
    if not opened.both:
        yield talk.say(path.back, dice.choice(("SA", "RA", "A", "S")), "")
        return
    way = dice.choice(("answer",) * 4 + ("refuse", "wrong", "error", "forged", "cross"))
    if way == "refuse":
        yield talk.say(path.back, "RA")
    elif way == "wrong":
        yield talk.say(path.back, "SA", "window", ack_off=77)
    elif way == "cross":
        yield talk.say(path.back, "S", "reused")
    elif way == "answer":
        yield talk.say(path.back, "SA")
        yield talk.say(path.opens, "A")
        yield from go_on(talk, dice)
    else:
        wrong = way == "forged"
        yield path.error(path.back, lambda src, sport, dst, dport: packets.tcp(src, dst, sport, dport ^ wrong),
                         "forged" if wrong else "related")


def go_on(talk, dice):
    """An established connection, and what may happen to it, from either end."""
    for _ in range(4):
        way, what = dice.choice((TO_BOX, FROM_BOX)), dice.choice(
            ("data", "data", "data", "window", "syn", "reset", "far reset", "end", "nonsense"))
        if what == "data":
            yield talk.say(way, "PA", payload=b"data")
        elif what == "window":
            yield talk.say(way, "A", "window", off=dice.choice((-2 ** 30, 2 ** 30)))
        elif what == "syn":
            yield talk.say(way, "S", "reused", off=2 ** 28)
        elif what == "far reset":
            yield talk.say(way, "R", "window", off=2 ** 30)
        elif what == "nonsense":
            yield talk.say(way, dice.choice(("FR", "F", "", "FPU", "SF", "FRA")), "nonsense")
            return
        elif what == "end":
            yield talk.say(way, "FA")
            yield talk.say(FROM_BOX if way == TO_BOX else TO_BOX, "FA")
            return
        else:
            yield talk.say(way, "R")
            return


# ---- strays -----------------------------------------------------------------------------

def stray_through(scene):
    dice, family, label = scene.dice, scene.dice.choice((4, 6)), next(scene.labels)
    peer, box, proto, port = aimed_through(dice, scene.policy, family, is_outside)
    way = dice.choice((TO_BOX, FROM_BOX))
    src, dst = (peer, box) if way == TO_BOX else (box, peer)
    if dice.random() < 0.05:
        src = dice.choice(ODD_SOURCES[family] + (INSIDE[family], peer))
    if tuple_of(src, dst, proto) in scene.parted:
        return
    made = composed(dice, src, dst, proto, port, label)
    frames = [link(dice, packet, dst) if way == TO_BOX else packets.ethernet(INSIDE_MAC, BOX_MAC, packet)
              for packet in made]
    yield routed(label, frames, way, src, dst, answered=True)


KINDS = (udp_through, udp_through, tcp_through, tcp_through, tcp_through, ping_through, raw_through,
         long_through)


def routed_stories(scene, flows, strays):
    return [scene.dice.choice(KINDS)(scene) for _ in range(flows)] + \
        [stray_through(scene) for _ in range(strays)]

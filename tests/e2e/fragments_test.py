# SPDX-License-Identifier: Apache-2.0
"""Fragments with real senders and a real stack behind the wall: dropped before the
stack's reassembly hears of them, or followed when the policy says so."""
import random
import unittest

from harness import (HOST, PEER, E2e, both, each_family, eventually, packets, rule,
                     together)

RULES = (
    rule("ingress", "dns", both(PEER), proto="udp", ports=[53])
    + rule("egress", "ask", both(PEER), proto="udp", ports=[53])
    + rule("egress", "ping", both(PEER), proto="icmp")
)
LARGE = (1500, 8000, 60000)


def text_port(number):
    return f"{number:04x}"


class Fragments(E2e):
    """What both ways of treating them share."""

    @classmethod
    def prepare(cls):
        for agent in (cls.here, cls.there):
            for port in (53, 54):
                agent.call("listen", port=port, proto="udp")

    def reassembly(self):
        """What the host's stack knows of fragments: how many it was given, and what it holds."""
        names, values = [line.split() for line in self.host.run("cat", "/proc/net/snmp").splitlines()
                         if line.startswith("Ip:")]
        found = {"requests4": int(values[names.index("ReasmReqds")])}
        for line in self.host.run("cat", "/proc/net/snmp6").splitlines():
            if line.startswith("Ip6ReasmReqds"):
                found["requests6"] = int(line.split()[1])
        for family, file in ((4, "sockstat"), (6, "sockstat6")):
            for line in self.host.run("cat", f"/proc/net/{file}").splitlines():
                if line.startswith("FRAG"):
                    found[f"held{family}"] = line.split(":")[1].strip()
        self.assertEqual(len(found), 4, found)
        return found

    def pieces(self, family, src_port, port, size=3000, step=1232, ident=7):
        source, host = PEER[family], HOST[family]
        whole = packets.udp(source, host, src_port, port, bytes(size))
        return [self.frame(p) for p in packets.fragments(source, host, packets.UDP, whole, step,
                                                         ident)]

    def answered(self, ears, family, port):
        """Has the host's service answered to that port, in fragments or not?"""
        at = {4: (68,), 6: (108, 124)}[family]  # of the UDP header, behind a fragment header too
        ports = text_port(53) + text_port(port)
        frames = self.there.call("captured", handle=ears, end=False)["frames"]
        return any(f[a:a + 8] == ports for f in frames for a in at)

    def flood(self, family, kinds, count=600):
        """Pieces of random datagrams of which no first is ever admitted."""
        dice = random.Random(family)
        source, host = PEER[family], HOST[family]
        frames = []
        for number in range(count):
            kind = kinds[number % len(kinds)]
            ident, body = dice.getrandbits(16), bytes(64)
            offset, more = {"later": (8 * dice.randrange(1, 8000), True),
                            "last": (8 * dice.randrange(1, 8000), False),
                            "first": (0, True), "atomic": (0, False)}[kind]
            if offset == 0:
                body = packets.udp(source, host, 4000, 53 if kind == "atomic" else 54, bytes(56))
            if family == 6:
                packet = packets.ipv6(source, host, packets.FRAGMENT, packets.fragment_header(
                    packets.UDP, body, offset, more, ident))
            else:
                packet = packets.ipv4(source, host, packets.UDP, body, ident=ident,
                                      flags=int(more), offset=offset)
            frames.append(self.frame(packet))
        self.send(*frames)

    def count(self, reason):
        return self.guard.status()["reasons"].get(reason, 0)

    def refused_out(self, family):
        """Fragments made by hand, by a raw socket and by a packet socket, stay here."""
        host, peer = HOST[family], PEER[family]
        ears = self.there.call("capture", interface="eth0")["handle"]
        datagram = packets.udp(host, peer, 4600, 53, bytes(1000))
        first = packets.fragments(host, peer, packets.UDP, datagram, 504)[0]
        before = self.count("fragment")
        self.here.call("raw", dst=peer, proto=255, data=first.hex(), header_included=True)
        self.here.call("send_frames", interface="eth0", frames=[packets.ethernet(
            "02:00:00:00:00:02", "02:00:00:00:00:01", first).hex()])
        self.expect_event(direction="egress", dst=peer, reason="fragment", hook="cgroup")
        self.expect_event(direction="egress", dst=peer, reason="fragment", hook="tc")
        self.assertEqual(self.count("fragment"), before + 2)
        mark = text_port(4600) + text_port(53)
        frames = self.there.call("captured", handle=ears)["frames"]
        self.assertEqual([f for f in frames if mark in f[64:136]], [])


class DroppedFragments(Fragments):
    POLICY = RULES

    @each_family
    def test_an_allowed_datagram_larger_than_the_mtu_does_not_arrive(self, family):
        self.assertEqual(self.into(53, family, "udp", size=1400), "open")
        self.assertEqual(self.into(53, family, "udp", size=8000), "timeout")
        self.expect_event(src=PEER[family], reason="fragment")
        self.assertEqual(self.out(53, family, "udp", size=8000), "timeout")  # nor its echo

    @each_family
    def test_a_question_in_fragments_has_its_short_answer(self, family):
        host, peer = HOST[family], PEER[family]
        answer = self.frame(packets.ip(peer, host, packets.UDP,
                                       packets.udp(peer, host, 53, 4300, b"short")))
        stray = self.frame(packets.ip(peer, host, packets.UDP,
                                      packets.udp(peer, host, 53, 4301, b"short")))

        def reply():
            ears = self.there.call("capture", interface="eth0")["handle"]
            asked = eventually(lambda: any(
                text_port(4300) + text_port(53) in f
                for f in self.there.call("captured", handle=ears, end=False)["frames"]), 4.0)
            self.send(stray, answer)
            return asked
        got, asked = together(lambda: self.out_later(family), reply)
        self.assertTrue(asked)
        self.assertEqual(got, "open")
        self.expect_event(src=peer, dst_port=4301, reason="no-rule")

    def out_later(self, family):
        """Asks until it is heard: the capture may begin after the first question."""
        for _ in range(8):
            got = self.out(53, family, "udp", size=4000, src_port=4300, timeout=0.7)
            if got == "open":
                break
        return got

    @each_family
    def test_the_stack_never_hears_of_a_fragment(self, family):
        before = self.reassembly()
        dropped = self.count("fragment")
        kinds = ("later", "last", "first", "atomic") if family == 6 else ("later", "last", "first")
        self.flood(family, kinds)
        self.send(*self.pieces(family, 4200, 53))
        after = self.guard.wait_status(
            lambda s: s["reasons"].get("fragment", 0) >= dropped + 603)
        self.assertEqual(after["reasons"]["fragment"], dropped + 603)
        self.assertEqual(self.reassembly(), before)

    @each_family
    def test_fragments_made_by_hand_do_not_leave(self, family):
        self.refused_out(family)


class TrackedFragments(Fragments):
    POLICY = RULES + '[essentials]\nfragments = "track"\n'

    @each_family
    def test_allowed_datagrams_larger_than_the_mtu_go_both_ways(self, family):
        before = self.reassembly()[f"requests{family}"]
        for size in LARGE:
            self.assertEqual(self.into(53, family, "udp", size=size, timeout=3.0), "open", size)
            self.assertEqual(self.out(53, family, "udp", size=size, timeout=3.0), "open", size)
        self.assertGreater(self.reassembly()[f"requests{family}"], before)
        self.assertEqual(self.into(54, family, "udp", size=8000), "timeout")
        self.expect_event(src=PEER[family], dst_port=54, reason="no-rule")
        self.expect_event(src=PEER[family], reason="fragment-orphan")
        self.assertEqual(self.out(54, family, "udp", size=8000), "eperm")

    @each_family
    def test_later_pieces_may_come_in_any_order_but_not_before_the_first(self, family):
        ears = self.there.call("capture", interface="eth0")["handle"]
        first, *later = self.pieces(family, 4201, 53, ident=21)
        self.send(first, *reversed(later))
        self.assertTrue(eventually(lambda: self.answered(ears, family, 4201)))
        first, *later = self.pieces(family, 4202, 53, ident=22)
        orphans = self.count("fragment-orphan")
        self.send(*later, first)
        self.expect_event(src=PEER[family], reason="fragment-orphan")
        self.assertEqual(self.count("fragment-orphan"), orphans + len(later))
        self.assertFalse(self.answered(ears, family, 4202))
        # Sent again within its two seconds, as senders do, the rest completes it.
        self.send(*later)
        self.assertTrue(eventually(lambda: self.answered(ears, family, 4202)))

    @each_family
    def test_no_piece_overwrites_another(self, family):
        ears = self.there.call("capture", interface="eth0")["handle"]
        first, second, last = self.pieces(family, 4203, 53, ident=31)
        other = self.pieces(family, 4204, 53, size=900, step=8, ident=31)
        overlaps, conflicts = self.count("fragment-overlap"), self.count("fragment-conflict")
        self.send(first, other[0], other[1], second, second, last)
        self.assertTrue(eventually(lambda: self.answered(ears, family, 4203)))
        self.assertEqual(self.count("fragment-overlap"), overlaps + 2)
        self.assertEqual(self.count("fragment-conflict"), conflicts + 1)

    @each_family
    def test_what_follows_no_admitted_first_never_reaches_reassembly(self, family):
        before = self.reassembly()
        orphans, refused = self.count("fragment-orphan"), self.count("no-rule")
        self.flood(family, ("later", "last", "first"))
        self.guard.wait_status(lambda s: s["reasons"].get("fragment-orphan", 0) >= orphans + 400)
        self.assertEqual(self.count("fragment-orphan"), orphans + 400)
        self.assertEqual(self.count("no-rule"), refused + 200)
        self.assertEqual(self.reassembly(), before)

    @each_family
    def test_long_pings_are_answered(self, family):
        self.assertEqual(self.there.result("ping", dst=HOST[family], size=3000), "open")
        self.assertEqual(self.here.result("ping", dst=PEER[family], size=3000), "open")

    @each_family
    def test_fragments_made_by_hand_do_not_leave(self, family):
        self.refused_out(family)


if __name__ == "__main__":
    unittest.main()

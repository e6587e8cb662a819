# SPDX-License-Identifier: Apache-2.0
"""Frames as they really come: tags, runts, jumbo, and devices without Ethernet."""
import os
import signal
import unittest

from harness import (FAMILIES, HOST, NETFILTER_LINKS, PEER, PEER_MAC, E2e, NotReady, both,
                     each_family, eventually, packets, rule)

RULES = (rule("ingress", "dns", both(PEER), proto="udp", ports=[53])
         + rule("ingress", "web", both(PEER), ports=[80]))


class Tags(E2e):
    POLICY = RULES

    @classmethod
    def prepare(cls):
        cls.here.call("listen", port=53, proto="udp")

    def datagram(self, family, dst_port, src_port=4000):
        return self.frame(packets.ip(PEER[family], HOST[family], packets.UDP, packets.udp(
            PEER[family], HOST[family], src_port, dst_port, b"tagged")))

    def admitted(self):
        return next(r for r in self.guard.status()["rules"] if r["name"] == "dns")["admitted"]

    def tagged(self, family, port, src_port=4000):
        """The same datagram under each tag that is walked, by a name."""
        plain = self.datagram(family, port, src_port)
        return {"802.1Q": packets.tag(plain, 0),
                "802.1ad": packets.tag(plain, 0, packets.ETH_QINQ),
                "QinQ": packets.tag(packets.tag(plain, 0), 0, packets.ETH_QINQ),
                "Q in Q": packets.tag(packets.tag(plain, 0), 0),
                "with a VLAN": packets.tag(plain, 5)}

    @each_family
    def test_a_tag_does_not_hide_a_forbidden_port(self, family):
        for number, name in enumerate(self.tagged(family, 0)):
            port = 5400 + number
            self.send(self.tagged(family, port)[name])
            event = self.tail.wait(src=PEER[family], dst_port=port)
            self.assertIsNotNone(event, name)
            self.assertEqual(event["reason"], "no-rule", name)

    @each_family
    def test_what_is_allowed_is_allowed_under_a_tag(self, family):
        # Each from a port of its own: a datagram of a known flow opens nothing.
        for number, name in enumerate(self.tagged(family, 53)):
            before = self.admitted()
            self.send(self.tagged(family, 53, 4100 + number)[name])
            self.assertTrue(eventually(lambda b=before: self.admitted() > b), name)

    @each_family
    def test_too_many_tags_are_dropped(self, family):
        frame = self.datagram(family, 53, 4200)
        for depth in range(3, 11):
            before = self.guard.status()["reasons"].get("vlan-depth", 0)
            tall = frame
            for _ in range(depth):
                tall = packets.tag(tall, 0)
            self.send(tall)
            self.assertTrue(eventually(lambda b=before: self.guard.status()["reasons"].get(
                "vlan-depth", 0) > b), f"{depth} tags")

    @each_family
    def test_frames_that_end_too_early_are_dropped(self, family):
        """Cut at every length that a packet socket can send; none is ever let in."""
        whole = self.datagram(family, 53, 4300)
        before = self.admitted()

        def dropped():
            return next(h for h in self.guard.status()["hooks"] if h["hook"] == "xdp")["dropped"]
        first = dropped()
        cuts = [whole[:size] for size in range(14, len(whole))]
        self.send(*cuts)
        self.assertTrue(eventually(lambda: dropped() >= first + len(cuts)),
                        (first, dropped(), len(cuts)))
        self.assertEqual(self.admitted(), before)

    @each_family
    def test_a_trailer_is_no_part_of_the_packet(self, family):
        before = self.admitted()
        self.send(self.datagram(family, 53, 4400) + bytes(20))
        self.assertTrue(eventually(lambda: self.admitted() > before))

    @each_family
    def test_unicast_in_a_broadcast_frame_is_dropped(self, family):
        packet = packets.ip(PEER[family], HOST[family], packets.UDP, packets.udp(
            PEER[family], HOST[family], 4500, 53, b"broad"))
        self.send(packets.ethernet("ff:ff:ff:ff:ff:ff", PEER_MAC, packet))
        self.expect_event(reason="l2-mismatch", src=PEER[family])

    def test_a_frame_for_another_station_is_counted_and_not_told(self):
        packet = packets.ip(PEER[4], HOST[4], packets.UDP, packets.udp(PEER[4], HOST[4], 4600, 53))
        self.send(packets.ethernet("02:00:00:00:00:77", PEER_MAC, packet))
        self.assertTrue(eventually(
            lambda: self.guard.status()["reasons"].get("other-station", 0) > 0))
        self.expect_no_event(reason="other-station")


class Jumbo(E2e):
    MTU = 9000

    @classmethod
    def prepare(cls):
        cls.here.call("listen", port=80)
        cls.here.call("listen", port=81)
        cls.here.call("listen", port=53, proto="udp")
        cls.here.call("listen", port=5001, mode="sink")

    @each_family
    def test_frames_over_several_buffers_are_judged(self, family):
        self.begin(RULES + rule("ingress", "bulk", both(PEER), ports=[5001]))
        nic = next(h for h in self.guard.status()["hooks"] if h["hook"] == "xdp")
        self.assertEqual(nic["mode"], "native")
        self.assertEqual(self.into(53, family, "udp", size=8900), "open")
        self.assertEqual(self.into(54, family, "udp", size=8900), "timeout")
        self.expect_event(src=PEER[family], dst_port=54, proto="udp")
        done = self.there.call("bulk", dst=HOST[family], port=5001, size=20_000_000)
        self.assertEqual((done["result"], done.get("received")), ("open", 20_000_000))
        self.assertEqual(self.into(81, family), "timeout")

    @each_family
    def test_generic_mode_judges_alike(self, family):
        self.begin(RULES + rule("ingress", "bulk", both(PEER), ports=[5001]),
                   host='xdp = "generic"')
        nic = next(h for h in self.guard.status()["hooks"] if h["hook"] == "xdp")
        self.assertEqual(nic["mode"], "generic")
        self.assertEqual((self.into(80, family), self.into(81, family)), ("open", "timeout"))
        done = self.there.call("bulk", dst=HOST[family], port=5001, size=20_000_000)
        self.assertEqual((done["result"], done.get("received")), ("open", 20_000_000))


class NativeRefused(E2e):
    """A driver that takes no native program, here for its peer's queues; one that wants a
    smaller MTU says so the same way."""

    NEAR = {4: "10.6.0.1", 6: "fd00:6::1"}
    FAR = {4: "10.6.0.2", 6: "fd00:6::2"}
    RULES = rule("ingress", "web", [FAR[4], FAR[6]], ports=[80])

    @classmethod
    def prepare(cls):
        for port in (80, 81):
            cls.here.call("listen", port=port)

    def make(self, queues, mtu=1500):
        """nic2, which has one queue to receive from so many in use."""
        self.host.ip(f"link add nic2 mtu {mtu} numrxqueues 1 type veth peer name far2 mtu {mtu} "
                     f"numtxqueues 4 netns {self.peer.netns}", "link set nic2 up")
        self.addCleanup(self.host.ip, "link del nic2")
        self.peer.run("ethtool", "-K", "far2", "tx", "off")
        self.peer.run("ethtool", "-L", "far2", "tx", str(queues))
        self.peer.ip("link set far2 up")
        self.host.address("nic2", "10.6.0.1/24", "fd00:6::1/64")
        self.peer.address("far2", "10.6.0.2/24", "fd00:6::2/64")

    def hook(self):
        return next(h for h in self.guard.status()["hooks"] if h["hook"] == "xdp")

    def assert_judged(self):
        for family in FAMILIES:
            source = {"src": self.FAR[family], "dst": self.NEAR[family]}
            self.assertEqual(self.into(80, family, **source), "open")
            self.assertEqual(self.into(81, family, **source), "timeout")

    def test_a_nic_that_takes_no_native_program_is_guarded_in_generic_mode_and_told_why(self):
        self.make(queues=4)
        self.begin(self.RULES, interfaces=("nic2",))
        self.assertEqual(self.hook()["mode"], "generic")
        for words in "generic XDP: native refused: attaching XDP", "guarding nic2 (generic":
            self.assertIn(words, self.guard.said())
        self.assertEqual(self.guard.status()["state"], "protected")
        self.assert_judged()

    def test_what_makes_it_native_lets_nothing_in_meanwhile(self):
        """As doctor says for a NIC of hardware."""
        self.make(queues=4)
        self.begin(self.RULES, interfaces=("nic2",))
        self.peer.run("ethtool", "-L", "far2", "tx", "1")
        self.guard.process.send_signal(signal.SIGSTOP)
        try:
            self.host.run("bpftool", "link", "detach", "pinned",
                          os.path.join(self.guard.pins, "v1", "links", "xdp-generic-nic2"))
            if NETFILTER_LINKS:
                for family in FAMILIES:
                    self.assertEqual(self.into(80, family, src=self.FAR[family],
                                               dst=self.NEAR[family]), "timeout")
        finally:
            self.guard.process.send_signal(signal.SIGCONT)
        self.assertTrue(eventually(lambda: self.hook()["mode"] == "native"), self.hook())
        self.assert_judged()

    def test_where_native_mode_is_asked_for_the_start_is_refused_and_leaves_nothing(self):
        self.make(queues=4)
        with self.assertRaises(NotReady) as refused:
            self.begin(self.RULES, interfaces=("nic2",), host='xdp = "native"')
        self.assertEqual(refused.exception.code, 3)
        self.assertIn("nic2", refused.exception.output)
        self.assertIn("smaller MTU or fewer queues", refused.exception.output)
        self.assertIsNone(self.host.ip_json("link", "show", "dev", "nic2")[0].get("xdp"))
        self.assertFalse(os.path.exists(self.guard.pins))
        for family in FAMILIES:
            self.assertEqual(self.into(81, family, src=self.FAR[family], dst=self.NEAR[family]),
                             "open")

    def test_a_nic_that_takes_one_has_it_whichever_way_it_was_asked_for(self):
        for number, host in enumerate(("", 'xdp = "native"')):
            if number == 0:
                self.make(queues=1, mtu=9000)
            self.begin(self.RULES, interfaces=("nic2",), host=host)
            self.assertEqual(self.hook()["mode"], "native")
            self.assertEqual(self.hook().get("why") or "", "")
            self.assert_judged()


class Tun(E2e):
    """A device that carries bare IP: no Ethernet header, generic mode only."""

    FAR = {4: "10.9.0.2", 6: "fd00:9::2"}
    NEAR = {4: "10.9.0.1", 6: "fd00:9::1"}

    @classmethod
    def prepare(cls):
        cls.here.call("listen", port=53, proto="udp")
        cls.here.call("listen", port=54, proto="udp")
        cls.here.call("tun", name="tun0")
        cls.host.ip("link set tun0 up")
        cls.host.address("tun0", "10.9.0.1/24", "fd00:9::1/64")

    @each_family
    def test_it_is_guarded_in_generic_mode_and_says_so(self, family):
        self.begin(rule("ingress", "dns", [self.FAR[4], self.FAR[6], "8.0.0.9"], proto="udp",
                        ports=[53]), interfaces=("eth0", "tun0"))
        modes = {h["iface"]: h["mode"] for h in self.guard.status()["hooks"] if h["hook"] == "xdp"}
        self.assertEqual(modes, {"eth0": "native", "tun0": "generic"})
        self.assertIn("generic", self.guard.said())
        far, near = self.FAR[family], self.NEAR[family]
        self.here.call("tun_read", name="tun0", timeout=0.2)
        for port in (53, 54):
            self.here.call("tun_send", name="tun0", packets=[packets.ip(
                far, near, packets.UDP, packets.udp(far, near, 4000, port, b"l3")).hex()])
        event = self.expect_event(src=far, dst_port=54)
        self.assertEqual((event["reason"], event["iface"]), ("no-rule", "tun0"))
        back = [p for p in self.here.call("tun_read", name="tun0")["packets"]
                if p.endswith(b"l3".hex())]
        self.assertEqual(len(back), 1, "one answer, to the allowed one")

    def test_an_address_that_looks_like_an_ethertype_is_none(self):
        """Bytes 12 and 13 of a bare IPv4 packet are the source's first two: 8.0 reads as IPv4."""
        self.begin(rule("ingress", "dns", ["8.0.0.9"], proto="udp", ports=[53]),
                   interfaces=("eth0", "tun0"))
        near = self.NEAR[4]
        for port in (53, 54):
            self.here.call("tun_send", name="tun0", packets=[packets.ipv4(
                "8.0.0.9", near, packets.UDP, packets.udp("8.0.0.9", near, 4001, port)).hex()])
        self.assertEqual(self.expect_event(src="8.0.0.9", dst_port=54)["reason"], "no-rule")
        dns = next(r for r in self.guard.status()["rules"] if r["name"] == "dns")
        self.assertEqual(dns["admitted"], 1)


class Native(E2e):
    def test_native_only_is_refused_where_a_driver_has_none(self):
        self.here.call("tun", name="tun1")
        self.host.ip("link set tun1 up")
        with self.assertRaises(NotReady) as caught:
            self.begin(RULES, host='xdp = "native"', interfaces=("eth0", "tun1"))
        self.assertEqual(caught.exception.code, 3)
        self.assertIn("tun1", caught.exception.output)
        self.assertIsNone(self.host.ip_json("link", "show", "dev", "eth0")[0].get("xdp"))


if __name__ == "__main__":
    unittest.main()

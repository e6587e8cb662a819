# SPDX-License-Identifier: Apache-2.0
"""Connections behind the host's own NAT whose entry in the flow table is gone, as after an
eviction: the next packet brings them back, whichever end sends it."""
import time
import unittest

from forward_test import BOX, MASQUERADE, PUBLISH, TO_PEER, Routing, as_published
from harness import (CUT, FIRST, HOST, HOST_MAC, PEER, PEER_MAC, E2e, both, each_family, eventually,
                     packets, rule)

ASKED = (rule("ingress", "published", both(PEER), ports=[8088, 8090])
         + rule("ingress", "published udp", both(PEER), proto="udp", ports=[5300])
         + as_published(80))
FEW = "[flows]\nmax = 1024\n"  # soon forgotten
REDIRECT = """
table inet own {
  chain pre { type nat hook prerouting priority dstnat; tcp dport 8091 redirect to :80; }
}
"""


class Forgotten(Routing):
    def refused(self, reason):
        return self.guard.status()["reasons"].get(reason, 0)


class Download(Forgotten):
    """A box behind masquerade that waits for what it has asked for."""
    POLICY = TO_PEER + FEW

    @classmethod
    def network(cls):
        cls.nft(MASQUERADE)
        cls.there.call("unlisten", port=443)
        cls.there.call("listen", port=443, mode="late")

    @each_family
    def test_what_a_box_waits_for_comes_though_it_says_nothing(self, family):
        held = self.inside.call("hold", dst=PEER[family], port=443)
        self.assertEqual(held["result"], "open")
        before = self.refused("no-flow")
        waiting = self.inside.begin("exchange", handle=held["handle"], timeout=6.0)
        time.sleep(0.7)
        self.forget_flows()
        self.assertEqual(self.inside.finish(waiting)["result"], "open")
        self.assertEqual(self.refused("no-flow"), before)

    @each_family
    def test_datagrams_too(self, family):
        self.inside.call("listen", port=1700, proto="udp")
        # Nobody answers at 55; the box's port is the one that the peer sees.
        self.inside.call("udp", dst=PEER[family], port=55, src=BOX[family], src_port=1700,
                         wait=False)
        self.forget_flows()
        self.assertEqual(self.there.result("udp", dst=HOST[family], port=1700, src=PEER[family],
                                           src_port=55), "open")

    @each_family
    def test_but_not_from_whom_no_box_has_asked(self, family):
        self.inside.call("udp", dst=PEER[family], port=55, src=BOX[family], src_port=1701,
                         wait=False)
        self.forget_flows()
        for source, port in ((FIRST, 55), (PEER, 56)):
            self.there.call("udp", dst=HOST[family], port=1701, src=source[family],
                            src_port=port, wait=False)
            event = self.expect_event(src=source[family], src_port=port, dst_port=1701)
            self.assertEqual((event["reason"], event["hook"]), ("no-rule", "xdp"))

    @each_family
    def test_an_error_about_it_comes_back(self, family):
        self.inside.call("udp", dst=PEER[family], port=55, src=BOX[family], src_port=1702,
                         wait=False)
        self.forget_flows()
        for port in (1702, 1703):
            quoted = packets.ip(HOST[family], PEER[family], packets.UDP, packets.udp(
                HOST[family], PEER[family], port, 55, bytes(16)))
            before = self.refused("icmp-unrelated")
            self.send(self.frame(packets.unreachable(PEER[family], HOST[family], quoted)))
            self.guard.wait_status(lambda s: s["reasons"].get("icmp-unrelated", 0) > before, 1.0)
            self.assertEqual(self.refused("icmp-unrelated") - before, port - 1702)


class Redirected(E2e):
    """A port that is redirected to the host's own service, on a host that routes nothing."""
    POLICY = rule("ingress", "web", both(PEER), ports=[8091]) + FEW

    @classmethod
    def prepare(cls):
        cls.host.run("nft", REDIRECT)
        cls.here.call("listen", port=80)

    @each_family
    def test_what_a_stranger_sends_to_it_goes_on(self, family):
        held = self.there.call("hold", dst=HOST[family], port=8091)
        self.assertEqual(held["result"], "open")
        self.forget_flows()
        got = self.there.result("exchange", handle=held["handle"], size=100000)
        # Which hook refused, and which way, tells what it took the connection for.
        self.assertEqual(got, "open", self.guard.events(event="drop")[-6:])
        self.assertNotIn("no-flow", self.guard.status()["reasons"])


class Upload(Forgotten):
    """A stranger sends to a published port."""
    POLICY = ASKED + FEW

    @classmethod
    def network(cls):
        cls.nft(PUBLISH)

    @each_family
    def test_what_a_stranger_sends_to_a_published_port_goes_on(self, family):
        held = self.there.call("hold", dst=HOST[family], port=8088)
        self.assertEqual(held["result"], "open")
        before = self.refused("no-flow")
        self.forget_flows()
        self.assertEqual(self.there.result("exchange", handle=held["handle"], size=100000), "open")
        self.assertEqual(self.refused("no-flow"), before)

    @each_family
    def test_its_end_comes_through_as_well(self, family):
        """Also where the host has a listener of its own at that port, as Docker's proxy is."""
        for listener in ("listen", "unlisten"):
            self.here.call(listener, port=8088)
            held = self.there.call("hold", dst=HOST[family], port=8088)
            before = self.refused("no-flow")
            self.assertTrue(self.runs())
            self.forget_flows()
            self.there.call("release", handle=held["handle"])
            self.assertTrue(eventually(lambda: not self.runs()), listener)
            self.assertEqual(self.refused("no-flow"), before)

    def runs(self):
        return [line for line in self.host.run("cat", "/proc/net/nf_conntrack").splitlines()
                if " dport=8088 " in line and "ESTABLISHED" in line]

    @each_family
    def test_a_stray_segment_is_dropped_in_silence_whatever_stands_behind_the_port(self, family):
        """To a published port, to one that a rule opens and nobody holds, to a closed one."""
        heard = self.there.call("capture", interface="eth0")
        for port in (8088, 8090, 8092):
            for flags in ("A", "SA", "FA", "R"):
                before = self.refused("no-flow")
                self.send(packets.ethernet(HOST_MAC, PEER_MAC, packets.ip(
                    PEER[family], HOST[family], packets.TCP, packets.tcp(
                        PEER[family], HOST[family], 4100, port, flags, seq=7, ack=9))))
                status = self.guard.wait_status(
                    lambda s: s["reasons"].get("no-flow", 0) > before)
                self.assertEqual(status["reasons"]["no-flow"], before + 1, (port, flags))
        frames = self.there.call("captured", **heard)["frames"]
        answers = [f for f in frames if (4100).to_bytes(2, "big").hex() in f[2 * 34:]
                   and f[12:24] == HOST_MAC.replace(":", "")]
        self.assertFalse(answers)

    @each_family
    def test_what_the_policy_no_longer_allows_does_not_come_back(self, family):
        self.begin(ASKED + FEW)
        held = self.there.call("hold", dst=HOST[family], port=8088)
        self.switch(rule("ingress", "other", both(PEER), ports=[8090])
                    + as_published(80) + FEW)
        self.forget_flows()
        self.assertIn(self.there.result("exchange", handle=held["handle"]), CUT)
        self.expect_event(reason="cut", direction="ingress", dst_port=8088)
        self.begin(ASKED + FEW)


if __name__ == "__main__":
    unittest.main()

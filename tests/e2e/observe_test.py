# SPDX-License-Identifier: Apache-2.0
"""Observe mode: judges and reports as enforce would, and drops nothing at all."""
import unittest

from harness import HOST, OUTSIDE, PEER, E2e, both, each_family, packets, rule

RULES = rule("ingress", "web", both(PEER), ports=[80]) + rule("egress", "https", both(PEER),
                                                              ports=[443])


class Observe(E2e):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.share(RULES, mode="observe")

    @classmethod
    def prepare(cls):
        for port in (80, 81):
            cls.here.call("listen", port=port)
        cls.here.call("listen", port=53, proto="udp")
        for port in (443, 444):
            cls.there.call("listen", port=port)
        cls.there.call("listen", port=53, proto="udp")

    def test_status_says_that_it_only_looks(self):
        status = self.guard.status()
        self.assertEqual((status["state"], status["mode"]), ("observing", "observe"))
        self.assertRegex(self.guard.call("status").stdout.splitlines()[0].lower(), "observing")

    @each_family
    def test_everything_passes(self, family):
        self.assertEqual([self.into(80, family), self.into(81, family),
                          self.into(53, family, "udp"), self.out(443, family),
                          self.out(444, family), self.out(444, family, dst=OUTSIDE[family]),
                          self.out(53, family, "udp"), self.here.result("ping", dst=PEER[family])],
                         ["open"] * 8)

    @each_family
    def test_what_would_have_been_dropped_is_reported(self, family):
        self.assertEqual(self.into(81, family), "open")
        self.assertEqual(self.out(444, family, dst=OUTSIDE[family]), "open")
        coming = self.expect_event(direction="ingress", src=PEER[family], dst_port=81)
        going = self.expect_event(direction="egress", dst=OUTSIDE[family], dst_port=444)
        self.assertEqual((coming["event"], coming["reason"]), ("would-drop", "no-rule"))
        self.assertEqual((going["event"], going["exfil"], going["comm"]),
                         ("would-drop", True, "app"))
        self.assertEqual(self.tail.find(event="drop"), [])

    @each_family
    def test_what_is_allowed_is_not_reported(self, family):
        self.assertEqual((self.into(80, family), self.out(443, family)), ("open", "open"))
        self.expect_no_event(direction="ingress", src=PEER[family], dst_port=80)
        self.expect_no_event(direction="egress", dst=PEER[family], dst_port=443)

    @each_family
    def test_malformed_packets_are_left_to_the_stack(self, family):
        """Even these: whoever observes wants to see what enforcing would change."""
        ears = self.there.call("capture", interface="eth0")["handle"]
        self.send(self.frame(packets.ip(PEER[family], HOST[family], packets.TCP, packets.tcp(
            PEER[family], HOST[family], 33000, 9999, "A", seq=7, ack=9))))
        self.expect_event(event="would-drop", src=PEER[family], src_port=33000)

        frames = self.there.call("captured", handle=ears)["frames"]
        self.assertTrue(any("270f80e8" in f for f in frames), "the stack did not answer")


class Turning(E2e):
    @classmethod
    def prepare(cls):
        for port in (80, 81):
            cls.here.call("listen", port=port)

    @each_family
    def test_a_reload_turns_observing_into_enforcing_and_back(self, family):
        self.begin(RULES, mode="observe")
        self.assertEqual(self.into(81, family), "open")
        self.switch(RULES, mode="enforce")
        self.assertEqual((self.into(81, family), self.into(80, family)), ("timeout", "open"))
        self.assertEqual(self.guard.status()["state"], "protected")
        self.switch(RULES, mode="observe")
        self.assertEqual((self.into(81, family), self.into(80, family)), ("open", "open"))


if __name__ == "__main__":
    unittest.main()

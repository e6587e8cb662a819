# SPDX-License-Identifier: Apache-2.0
"""An interface that is not guarded admits what comes, and its answers; the way out is judged
there too."""
import unittest

from harness import HOST, HOST1, PEER, PEER1, E2e, both, each_family, rule

RULES = (rule("ingress", "web", both(PEER), ports=[80])
         + rule("egress", "https", both(PEER1), ports=[443])
         + rule("egress", "dns", both(PEER1), proto="udp", ports=[53]))


class Unguarded(E2e):
    SECOND_NIC = True
    POLICY = RULES

    @classmethod
    def prepare(cls):
        for port in (80, 81):
            cls.here.call("listen", port=port)
        cls.here.call("listen", port=53, proto="udp")
        for port in (443, 444):
            cls.there.call("listen", port=port)
        for port in (53, 54):
            cls.there.call("listen", port=port, proto="udp")

    def test_only_what_was_named_is_guarded(self):
        status = self.guard.status()
        self.assertEqual({h["iface"] for h in status["hooks"] if h["hook"] in ("xdp", "tc")},
                         {"eth0"})

    @each_family
    def test_all_that_arrives_there_is_admitted_and_answered(self, family):
        for port in (80, 81):
            self.assertEqual(self.into(port, family, dst=HOST1[family], src=PEER1[family]), "open")
        self.assertEqual(self.into(53, family, "udp", dst=HOST1[family], src=PEER1[family]), "open")
        self.assertEqual(self.there.result("ping", dst=HOST1[family], src=PEER1[family]), "open")

    @each_family
    def test_the_same_from_the_guarded_side_is_not(self, family):
        self.assertEqual((self.into(80, family), self.into(81, family)), ("open", "timeout"))
        self.assertEqual(self.into(53, family, "udp"), "timeout")

    @each_family
    def test_the_way_out_is_judged_there_as_well(self, family):
        self.assertEqual(self.out(443, family, dst=PEER1[family]), "open")
        self.assertEqual(self.out(53, family, "udp", dst=PEER1[family]), "open")
        self.assertEqual(self.out(444, family, dst=PEER1[family]), "eperm")
        self.assertEqual(self.out(54, family, "udp", dst=PEER1[family]), "eperm")
        event = self.expect_event(direction="egress", dst=PEER1[family], dst_port=444)
        self.assertEqual(event["reason"], "no-rule")

    @each_family
    def test_a_long_connection_there_goes_on(self, family):
        held = self.there.call("hold", dst=HOST1[family], port=81, src=PEER1[family])
        self.assertEqual(held["result"], "open")
        for _ in range(5):
            self.assertEqual(self.there.result("exchange", handle=held["handle"], size=30000),
                             "open")
        self.there.call("release", handle=held["handle"])

    @each_family
    def test_having_been_asked_there_opens_nothing_else(self, family):
        """An answer goes to who asked, from the socket that was asked; no new flow to him."""
        self.assertEqual(self.into(53, family, "udp", dst=HOST1[family], src=PEER1[family],
                                   src_port=5353), "open")
        self.assertEqual(self.out(5353, family, "udp", dst=PEER1[family]), "eperm")

    @each_family
    def test_a_host_address_reached_over_the_other_side_counts_by_the_nic(self, family):
        """What matters is where a packet arrives, not which of the host's addresses it asks for."""
        detour = f"{HOST1[family]} via {HOST[family]} dev eth0 metric 1"
        self.peer.route(detour)
        self.addCleanup(self.peer.ip, f"route del {detour}")
        self.assertEqual(self.into(81, family, dst=HOST1[family], src=PEER[family]), "timeout")
        self.assertEqual(self.into(80, family, dst=HOST1[family], src=PEER[family]), "open")


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""One box floods, and fills the flow table: what others have, and what they open, goes on."""
import unittest

from forward_test import BOXES, MASQUERADE, Routing, forward
from harness import HOST, PEER, both, each_family, rule

OTHER = {4: "10.9.0.3", 6: "fd00:9::3"}
FLOODED = (forward("web", both(BOXES), both(PEER), ports=[443])
           + forward("many", both(BOXES), both(PEER), proto="udp", ports=[53, "20000-30000"])
           + rule("ingress", "ssh", both(PEER), ports=[80])
           + rule("egress", "own web", both(PEER), ports=[443])
           + "[flows]\nmax = 1024\n")


class Neighbours(Routing):
    """A second box on the same bridge; both behind masquerade."""

    @classmethod
    def network(cls):
        cls.nft(MASQUERADE)
        cls.second = cls.lab.host("second")
        cls.lab.cable(cls.host, "veth2", cls.second, "eth0")
        cls.host.ip("link set veth2 master br0")
        cls.second.address("eth0", "10.9.0.3/24", "fd00:9::3/64")
        cls.second.route("default via 10.9.0.1", "default via fd00:9::1")
        cls.other = cls.second.agent(name="second")
        cls.here.call("listen", port=80)

    @each_family
    def test_a_box_that_fills_the_table_shuts_nobody_else_out(self, family):
        self.begin(FLOODED)
        held = [(self.other, PEER, 443, "tcp"), (self.other, PEER, 53, "udp"),
                (self.there, HOST, 80, "tcp"), (self.here, PEER, 443, "tcp")]
        held = [(agent, agent.call("hold", dst=dst[family], port=port, proto=proto)["handle"])
                for agent, dst, port, proto in held]
        for _ in range(2):
            # Fewer than a small machine's conntrack takes: 12,288 where there are 1.5 GB.
            self.inside.call("scatter", dst=PEER[family], ports=[20000, 22500], timeout=30.0)
            full = self.guard.wait_status(lambda s: s["reasons"].get("flow-full", 0) > 1000)
            self.assertGreater(full["reasons"].get("flow-full", 0), 1000, "it was no flood")
            self.assertLessEqual(full["flows"]["entries"], 1024)
            for agent, handle in held:
                self.assertEqual(agent.result("exchange", handle=handle), "open")
            for _ in range(5):
                self.assertEqual(self.other.result("tcp", dst=PEER[family], port=443), "open")
                self.assertEqual(self.other.result("udp", dst=PEER[family], port=53), "open")
                self.assertEqual(self.out(443, family), "open")
                self.assertEqual(self.into(80, family), "open")
        event = self.expect_event(reason="flow-full")
        self.assertNotIn(event["src"], both(OTHER))


if __name__ == "__main__":
    unittest.main()

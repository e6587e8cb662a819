# SPDX-License-Identifier: Apache-2.0
"""NICs are guarded whatever they are called: a VLAN's has a dot in its name, as a rule."""
import signal
import unittest

from harness import PEER, E2e, both, each_family, rule

RULES = rule("ingress", "web", both(PEER), ports=[80])
NEAR, FAR = {4: "10.6.0.1", 6: "fd00:6::1"}, {4: "10.6.0.2", 6: "fd00:6::2"}


class Dots(E2e):
    @classmethod
    def prepare(cls):
        cls.lab.cable(cls.host, "lan.5", cls.peer, "lan.5")
        cls.host.address("lan.5", "10.6.0.1/24", "fd00:6::1/64")
        cls.peer.address("lan.5", "10.6.0.2/24", "fd00:6::2/64")
        for port in (80, 81):
            cls.here.call("listen", port=port)

    def guarded(self):
        return {h["iface"]: h["attached"] for h in self.guard.status()["hooks"]
                if h["hook"] == "xdp"}

    @each_family
    def test_a_nic_with_a_dot_in_its_name_is_guarded_adopted_and_let_go(self, family):
        rules = RULES + rule("ingress", "far", both(FAR), ports=[80])
        self.begin(rules, interfaces=("eth0", "lan.5"))
        wanted = {"eth0": True, "lan.5": True}
        for _ in range(2):
            self.assertEqual(self.guarded(), wanted)
            for port, result in (80, "open"), (81, "timeout"):
                self.assertEqual(self.into(port, family, dst=NEAR[family], src=FAR[family]), result)
            self.guard.stop(signal.SIGKILL)
            self.assertEqual(self.guarded(), wanted)
            self.guard.start(self.file)
        self.assertIn("adopted", self.guard.said())
        self.end()
        for port in 80, 81:
            self.assertEqual(self.into(port, family, dst=NEAR[family], src=FAR[family]), "open")


if __name__ == "__main__":
    unittest.main()

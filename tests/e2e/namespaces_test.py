# SPDX-License-Identifier: Apache-2.0
"""Processes under the cgroup in a network namespace of their own, as containers are."""
import time
import unittest

from harness import PEER, E2e, both, each_family, rule

BOX = {4: "10.5.0.2", 6: "fd00:5::2"}


class Boxed(E2e):
    POLICY = rule("egress", "https", both(PEER), ports=[443])

    @classmethod
    def prepare(cls):
        cls.outside = cls.lab.host("box")
        cls.lab.cable(cls.outside, "eth0", cls.peer, "eth5")
        cls.outside.address("eth0", "10.5.0.2/24", "fd00:5::2/64")
        cls.peer.address("eth5", "10.5.0.1/24", "fd00:5::1/64")
        cls.outside.route("default via 10.5.0.1", "default via fd00:5::1")
        cls.box = cls.outside.agent(cls.lab.cgroup.child("system.slice/box.service"), name="box")
        for port in (443, 444):
            cls.there.call("listen", port=port)

    @each_family
    def test_its_way_out_is_judged(self, family):
        self.assertEqual(self.out(443, family, agent=self.box), "open")
        self.assertIn(self.out(444, family, agent=self.box), ("eperm", "timeout"))

    def turned(self, family, port, dst_port):
        """What comes of a socket that was called at `port` and then calls `dst_port`."""
        waiting = self.box.begin("turn", port=port, dst=PEER[family], dst_port=dst_port)
        time.sleep(0.3)
        self.there.result("tcp", dst=BOX[family], port=port, timeout=0.5)
        return self.box.finish(waiting)["result"]

    @each_family
    def test_a_socket_that_was_accepted_calls_out_no_further_than_any_other(self, family):
        self.assertEqual(self.turned(family, 7001, 443), "open")
        self.assertIn(self.turned(family, 7002, 444), ("eperm", "timeout"))


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""Devices of other namespaces on a guarded NIC: what is routed there was not judged by this
host's hook for routed traffic, though it leaves with the NIC's own address."""
import unittest

from forward_test import forward
from harness import PEER, E2e, both, each_family

NEAR = {4: "10.1.0.9", 6: "fd00:1::9"}   # the child's
DEEP = {4: "10.8.0.2", 6: "fd00:1:0:8::2"}   # behind it


class Passthru(E2e):
    """`child` holds a macvlan that bears eth0's own address, and routes for `deep`."""
    KIND = "macvlan mode passthru"
    POLICY = forward("web", both(DEEP), both(PEER), proto="udp", ports=[53])
    ANSWER = "open"
    missing = None

    @classmethod
    def prepare(cls):
        cls.child, cls.deep = cls.lab.host("child"), cls.lab.host("deep")
        cls.lab.cable(cls.child, "veth0", cls.deep, "eth0")
        try:
            cls.host.ip(f"link add link eth0 name child0 type {cls.KIND}")
        except RuntimeError as error:
            if "Unknown device type" not in str(error):
                raise
            cls.missing = "this kernel has no such device"
            return
        cls.host.ip(f"link set child0 netns {cls.child.netns}")
        cls.child.ip("link set child0 up")
        cls.child.address("child0", NEAR[4] + "/24", NEAR[6] + "/64")
        cls.child.address("veth0", "10.8.0.1/24", "fd00:1:0:8::1/64")
        cls.child.forward()
        cls.deep.address("eth0", DEEP[4] + "/24", DEEP[6] + "/64")
        cls.deep.route("default via 10.8.0.1", "default via fd00:1:0:8::1")
        cls.peer.route(f"10.8.0.0/24 via {NEAR[4]}", f"fd00:1:0:8::/64 via {NEAR[6]}")
        cls.inside = cls.deep.agent(name="deep")
        for port in (53, 54):
            cls.there.call("listen", port=port, proto="udp")

    def setUp(self):
        if self.missing:
            self.skipTest(self.missing)
        if not any(h["hook"] == "hold" for h in self.guard.status()["hooks"]):
            self.skipTest("this kernel does not tell whose routes a packet goes by")

    def test_it_bears_the_address_of_the_nic(self):
        addresses = {host.ip_json("link", "show", "dev", name)[0]["address"]
                     for host, name in ((self.host, "eth0"), (self.child, "child0"))}
        self.assertEqual(len(addresses), 1)

    @each_family
    def test_what_a_forward_rule_allows_passes(self, family):
        before = self.admitted()
        answer = self.inside.result("udp", dst=PEER[family], port=53)
        self.assertEqual((self.admitted(), answer), (before + 1, self.ANSWER))

    def admitted(self):
        return next(r for r in self.guard.status()["rules"] if r["name"] == "web")["admitted"]

    @each_family
    def test_and_nothing_else(self, family):
        self.assertEqual(self.inside.result("udp", dst=PEER[family], port=54), "timeout")
        event = self.expect_event(src=DEEP[family], dst=PEER[family], dst_port=54)
        self.assertEqual((event["reason"], event["hook"], event["direction"], event["iface"]),
                         ("no-rule", "tc", "forward", "eth0"))


class Ipvlan(Passthru):
    """An ipvlan has the address of its NIC by nature. It takes in only what is for its own
    address: what answers `deep` does not come to it."""
    KIND = "ipvlan mode l2"
    ANSWER = "timeout"


if __name__ == "__main__":
    unittest.main()

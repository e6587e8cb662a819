# SPDX-License-Identifier: Apache-2.0
"""Devices that stand on other devices: VLANs, bonds, tunnels. What is guarded is judged.

Where a kernel lacks the device its tests are skipped; tests/vm/cannot-run lists where."""
import unittest

from harness import (FAMILIES, HOST, NOT_OPEN, PEER, E2e, both, each_family, eventually, packets,
                     rule)

V4_V6 = {4: "10.6.0.", 6: "fd00:6::"}
NEAR = {f: a + "1" for f, a in V4_V6.items()}
FAR = {f: a + "2" for f, a in V4_V6.items()}
ANYONE = [PEER[4], PEER[6], FAR[4], FAR[6]]
RULES = (rule("ingress", "web", ANYONE, ports=[80])
         + rule("ingress", "dns", ANYONE, proto="udp", ports=[53])
         + rule("egress", "https", ANYONE, ports=[443]))


class OnDevices(E2e):
    """Skips its tests when this kernel lacks the device that `devices` makes."""

    missing = None

    @classmethod
    def prepare(cls):
        for port in (80, 81):
            cls.here.call("listen", port=port)
        cls.here.call("listen", port=53, proto="udp")
        for port in (443, 444):
            cls.there.call("listen", port=port)
        try:
            cls.devices()
        except RuntimeError as error:
            if "Unknown device type" not in str(error):
                raise
            cls.missing = "this kernel has no such device"

    @classmethod
    def devices(cls):
        raise NotImplementedError

    def setUp(self):
        if self.missing:
            self.skipTest(self.missing)

    def hooks(self, *kinds):
        return {(h["hook"], h["iface"]) for h in self.guard.status()["hooks"]
                if h["hook"] in kinds and h["attached"]}

    def assert_judged(self, family, near=HOST, far=PEER):
        """Both ways: what a rule allows is open, all else is not."""
        source = {"src": far[family], "dst": near[family]}
        self.assertEqual(self.into(80, family, **source), "open")
        self.assertEqual(self.into(81, family, **source), "timeout")
        self.assertEqual(self.out(443, family, dst=far[family]), "open")
        self.assertEqual(self.out(444, family, dst=far[family]), "eperm")

    def assert_open(self, family, near, far):
        for port in (80, 81):
            self.assertEqual(self.into(port, family, src=far[family], dst=near[family]), "open")


class Vlan(OnDevices):
    """eth0.5 on eth0, at both ends."""

    @classmethod
    def devices(cls):
        for host, addresses in (cls.host, NEAR), (cls.peer, FAR):
            host.ip("link add link eth0 name eth0.5 type vlan id 5", "link set eth0.5 up")
            host.address("eth0.5", addresses[4] + "/24", addresses[6] + "/64")

    @each_family
    def test_the_nic_below_judges_tagged_and_untagged_alike(self, family):
        self.begin(RULES)
        self.assert_judged(family)
        self.assert_judged(family, NEAR, FAR)
        event = self.expect_event(src=FAR[family], dst_port=81)
        self.assertEqual((event["reason"], event["iface"]), ("no-rule", "eth0"))

    @each_family
    def test_the_child_alone_leaves_what_is_untagged(self, family):
        self.begin(RULES, interfaces=("eth0.5",))
        self.assertEqual(self.hooks("xdp", "tc"), {("xdp", "eth0.5"), ("tc", "eth0.5")})
        self.assert_judged(family, NEAR, FAR)
        self.assert_open(family, HOST, PEER)

    @each_family
    def test_both_judge_what_passes_both(self, family):
        self.begin(RULES, interfaces=("eth0", "eth0.5"))
        self.assert_judged(family)
        self.assert_judged(family, NEAR, FAR)

    @each_family
    def test_a_packet_socket_gets_no_frame_through_the_child(self, family):
        self.begin(RULES)
        heard = self.there.call("capture", interface="eth0.5")
        for port in (443, 444):
            packet = packets.ip(NEAR[family], FAR[family], packets.UDP, packets.udp(
                NEAR[family], FAR[family], 4000, port, b"by hand"))
            child = self.host.ip_json("link", "show", "dev", "eth0.5")[0]["address"]
            other = self.peer.ip_json("link", "show", "dev", "eth0.5")[0]["address"]
            self.here.call("send_frames", interface="eth0.5",
                           frames=[packets.ethernet(other, child, packet).hex()])
        event = self.expect_event(direction="egress", dst=FAR[family], dst_port=444, proto="udp")
        self.assertEqual(event["hook"], "tc")
        frames = self.there.call("captured", **heard)["frames"]
        self.assertFalse([f for f in frames if b"by hand".hex() in f])


class Bond(OnDevices):
    """eth0 and eth1 as one, at both ends; either may carry."""

    SECOND_NIC = True

    @classmethod
    def devices(cls):
        for host, addresses in (cls.host, HOST), (cls.peer, PEER):
            host.ip("link add bond0 type bond mode active-backup miimon 100")
            for port in "eth0", "eth1":
                host.ip(f"addr flush dev {port}", f"link set {port} down",
                        f"link set {port} master bond0", f"link set {port} up")
            host.ip("link set bond0 up")
            host.address("bond0", addresses[4] + "/24", addresses[6] + "/64")
        # Each end must carry by the same port, for there is no switch between them.
        for host in cls.host, cls.peer:
            host.ip("link set bond0 type bond active_slave eth0")
        cls.host.route("default via 10.1.0.2", "default via fd00:1::2")

    @classmethod
    def carry_by(cls, port):
        for host in cls.host, cls.peer:
            host.ip(f"link set bond0 type bond active_slave {port}")

    def assert_judged_on_either(self, family, interfaces):
        self.addCleanup(self.carry_by, "eth0")
        self.begin(RULES, interfaces=interfaces)
        self.assertEqual(self.hooks("xdp", "tc"),
                         {(h, i) for h in ("xdp", "tc") for i in interfaces})
        for port in "eth0", "eth1":
            self.carry_by(port)
            self.assertEqual(eventually(lambda: self.into(80, family) == "open"), True)
            self.assert_judged(family)

    @each_family
    def test_the_master_guards_for_its_ports(self, family):
        self.assert_judged_on_either(family, ("bond0",))

    @each_family
    def test_the_ports_guard_for_the_master(self, family):
        self.assert_judged_on_either(family, ("eth0", "eth1"))

    @each_family
    def test_a_packet_socket_gets_nothing_out_by_the_master(self, family):
        for interfaces in ("bond0",), ("eth0", "eth1"):
            self.begin(RULES, interfaces=interfaces)
            near = self.host.ip_json("link", "show", "dev", "bond0")[0]["address"]
            far = self.peer.ip_json("link", "show", "dev", "bond0")[0]["address"]
            heard = self.there.call("capture", interface="bond0")
            packet = packets.ip(HOST[family], PEER[family], packets.UDP, packets.udp(
                HOST[family], PEER[family], 4000, 444, b"by hand"))
            self.here.call("send_frames", interface="bond0",
                           frames=[packets.ethernet(far, near, packet).hex()])
            event = self.expect_event(direction="egress", dst=PEER[family], dst_port=444)
            self.assertEqual((event["hook"], event["iface"]), ("tc", interfaces[0]))
            frames = self.there.call("captured", **heard)["frames"]
            self.assertFalse([f for f in frames if b"by hand".hex() in f])


class Tunnel:
    """A tunnel of the host's own to the peer, over guarded eth0; the kinds are below."""

    KIND = None           # as `ip link add ... type` takes it
    OUTER = None          # the family that carries
    PROTO = None          # the number of the outer packets
    INNER = FAMILIES      # what it carries

    @classmethod
    def devices(cls):
        for host, near, far, inside in ((cls.host, HOST, PEER, NEAR), (cls.peer, PEER, HOST, FAR)):
            ends = f"local {near[cls.OUTER]} remote {far[cls.OUTER]}"
            host.ip(f"link add tun9 type {cls.KIND} {ends}", "link set tun9 up")
            host.address("tun9", *(inside[f] + ("/24" if f == 4 else "/64") for f in cls.INNER))

    def outer(self, proto=None):
        return rule("ingress", "outer", both(PEER), proto=proto or self.PROTO)

    def test_the_outer_packet_needs_a_rule_by_its_number(self):
        """Let in by nobody, and by a rule for another number, nothing comes out of the tunnel."""
        for rules in RULES, RULES + self.outer(99):
            self.begin(rules)
            for family in self.INNER:
                self.assertEqual(self.into(80, family, src=FAR[family], dst=NEAR[family]),
                                 "timeout")
            self.expect_event(direction="ingress", src=PEER[self.OUTER], reason="no-rule",
                              hook="xdp", iface="eth0")

    def test_what_goes_out_through_it_is_judged_inside_and_outside(self):
        """The rule for what is carried is no rule for what carries."""
        self.begin(RULES)
        for family in self.INNER:
            self.assertIn(self.out(443, family, dst=FAR[family]), NOT_OPEN)
        event = self.expect_event(direction="egress", dst=PEER[self.OUTER], hook="tc")
        self.assertEqual((event["reason"], event["iface"]), ("no-rule", "eth0"))
        self.begin(RULES + rule("egress", "outer", both(PEER), proto=self.PROTO))
        for family in self.INNER:
            self.assertEqual(self.out(443, family, dst=FAR[family]), "open")
            self.assertEqual(self.out(444, family, dst=FAR[family]), "eperm")

    def test_what_is_inside_is_judged_only_where_the_tunnel_is_guarded(self):
        self.begin(RULES + self.outer())
        for family in self.INNER:
            self.assert_open(family, NEAR, FAR)
        self.begin(RULES + self.outer(), interfaces=("eth0", "tun9"))
        modes = {h["iface"]: h["mode"] for h in self.guard.status()["hooks"] if h["hook"] == "xdp"}
        self.assertEqual(modes["tun9"], "generic")
        for family in self.INNER:
            self.assert_judged(family, NEAR, FAR)
            event = self.expect_event(src=FAR[family], dst_port=81)
            self.assertEqual((event["reason"], event["iface"]), ("no-rule", "tun9"))


class Ipip(Tunnel, OnDevices):
    KIND, OUTER, PROTO, INNER = "ipip", 4, 4, (4,)


class Sit(Tunnel, OnDevices):
    KIND, OUTER, PROTO, INNER = "sit", 4, 41, (6,)


class Gre(Tunnel, OnDevices):
    KIND, OUTER, PROTO = "gre", 4, 47


class GreOverIpv6(Tunnel, OnDevices):
    KIND, OUTER, PROTO = "ip6gre", 6, 47


class Ip6Tunnel(Tunnel, OnDevices):
    KIND, OUTER, PROTO, INNER = "ip6tnl mode ip6ip6", 6, 41, (6,)


if __name__ == "__main__":
    unittest.main()

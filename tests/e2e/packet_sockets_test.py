# SPDX-License-Identifier: Apache-2.0
"""Packet sockets, which pass by the hooks on sockets: found, reported once, listed.

That "deny" refuses them is shown in a guest (tests/vm/packet-sockets): it needs a
kernel that takes BPF LSM programs.
"""
import unittest

from harness import FAMILIES, HOST, PEER, E2e, both, each_family, eventually, packets, rule

AF_PACKET, AF_XDP, RAW, DGRAM = 17, 44, 3, 2
ALL = 3 << 8  # ETH_P_ALL in network byte order
DENY = 'packet-sockets = "deny"'


def udp_frame(family, port):
    """From the host's port 4700 to the peer's."""
    body = packets.udp(HOST[family], PEER[family], 4700, port, b"frame")
    return packets.ethernet("02:00:00:00:00:02", "02:00:00:00:00:01",
                            packets.ip(HOST[family], PEER[family], 17, body)).hex()


class PacketSockets(E2e):
    @classmethod
    def prepare(cls):
        cls.there.call("listen", port=53, proto="udp")

    def listed(self, agent, **facts):
        sockets = self.guard.status()["packet_sockets"]
        return [s for s in sockets if s["pid"] == agent.pid
                and all(s[key] == value for key, value in facts.items())]

    def found(self, agent, **facts):
        return self.tail.find(event="socket", pid=agent.pid, **facts)

    def test_one_that_is_older_than_the_wall_is_found(self):
        old = self.unit_agent("old")
        old.call("open_socket", family=AF_PACKET, kind=RAW, proto=ALL, interface="eth0")
        self.begin()
        said = self.guard.events(event="socket", pid=old.pid)
        self.assertEqual(len(said), 1)
        event = said[0]
        self.assertEqual((event["state"], event["family"], event["hook"], event["comm"],
                          event["uid"], event["unit"], event["iface"], event["ethertype"]),
                         ("found", "packet", "socket", "old", 0, "old.service", "eth0", "0x0003"))
        self.assertNotIn("qdisc_bypass", event)
        self.assertEqual(len(self.listed(old, unit="old.service", iface="eth0", netns="host")), 1)

    def test_each_is_reported_once_and_listed_while_it_is_held(self):
        self.begin()
        maker = self.unit_agent("maker")
        held = maker.call("open_socket", family=AF_PACKET, kind=DGRAM)["handle"]
        self.expect_event(event="socket", pid=maker.pid, family="packet")
        self.assertEqual(len(self.listed(maker, family="packet", iface=None, ethertype=None)), 1)
        # Another look must have passed: this one's news show it.
        other = self.unit_agent("other")
        other.call("open_socket", family=AF_XDP, kind=RAW)
        self.expect_event(event="socket", pid=other.pid, family="xdp")
        self.assertEqual(len(self.found(maker)), 1)
        self.assertEqual(len(self.listed(other, family="xdp")), 1)
        maker.call("close_socket", handle=held)
        self.assertTrue(eventually(lambda: not self.listed(maker), 15.0))

    def test_going_past_the_qdisc_is_news_of_its_own(self):
        self.begin()
        maker = self.unit_agent("bypasser")
        held = maker.call("open_socket", family=AF_PACKET, kind=RAW)["handle"]
        self.expect_event(event="socket", pid=maker.pid)
        self.assertEqual(self.found(maker, qdisc_bypass=True), [])
        maker.call("set_bypass", handle=held)
        self.expect_event(event="socket", pid=maker.pid, qdisc_bypass=True)
        self.assertEqual(len(self.listed(maker, qdisc_bypass=True)), 1)
        self.assertIn("packet-qdisc-bypass", self.guard.status()["blind"])

    def test_a_socket_in_another_namespace_is_found(self):
        inner = self.lab.host("inner").agent(self.lab.cgroup.child("system.slice/inner.service"))
        inner.call("open_socket", family=AF_PACKET, kind=RAW)
        self.begin()
        self.assertEqual(len(self.listed(inner, netns="other")), 1)
        self.assertEqual(len(self.guard.events(event="socket", pid=inner.pid)), 1)

    def test_one_that_comes_into_another_cgroup_is_news(self):
        giver, taker = self.unit_agent("giver"), self.unit_agent("taker")
        held = giver.call("open_socket", family=AF_PACKET, kind=RAW)
        self.begin()
        waiting = taker.begin("await_socket", name="gift")
        self.assertEqual(giver.result("give_socket", handle=held["handle"], name="gift"), "sent")
        self.assertEqual(taker.finish(waiting)["result"], "open")
        self.assertEqual(self.expect_event(event="socket", pid=taker.pid)["unit"], "taker.service")
        self.assertEqual(taker.result("fetch_socket", pid=giver.pid, fd=held["fd"]), "open")

    def test_ordinary_sockets_are_none(self):
        plain = self.unit_agent("plain")
        for family, kind in ((2, 1), (10, 2), (1, 2), (16, RAW)):
            self.assertEqual(plain.result("open_socket", family=family, kind=kind), "open")
        maker = self.unit_agent("maker")
        maker.call("open_socket", family=AF_PACKET, kind=RAW)
        self.begin()
        self.assertEqual(len(self.listed(maker)), 1)
        self.assertEqual(self.listed(plain), [])

    def test_allow_looks_for_none(self):
        maker = self.unit_agent("maker")
        maker.call("open_socket", family=AF_PACKET, kind=RAW)
        self.begin(host='packet-sockets = "allow"')
        self.assertIsNone(self.guard.status()["packet_sockets"])
        self.assertEqual(self.guard.events(event="socket", pid=maker.pid), [])
        self.switch(host='packet-sockets = "report"')
        self.expect_event(event="socket", pid=maker.pid)
        self.switch(host='packet-sockets = "allow"')
        self.assertIsNone(self.guard.status()["packet_sockets"])

    def test_deny_is_enforced_or_said_not_to_be(self):
        """Which of the two is the kernel's business; silence would be neither."""
        maker = self.unit_agent("maker")
        self.begin(host=DENY)
        made = maker.result("open_socket", family=AF_PACKET, kind=RAW)
        blind = self.guard.status()["blind"]
        checked = self.guard.call("check", self.file)
        if made == "eperm":
            self.assertNotIn("packet-sockets", blind)
            self.assertNotIn("NOT enforced", self.guard.said())
            self.expect_event(event="drop", reason="packet-socket", pid=maker.pid, family="packet")
        else:
            self.assertEqual(made, "open")
            self.assertEqual(blind[0], "packet-sockets")
            self.assertIn("af-xdp", blind)
            self.assertIn('packet-sockets = "deny" is NOT enforced', self.guard.said())
            self.assertIn("lsm=", self.guard.said())
            self.assertIn("would not be enforced on this machine", checked.stderr)
            self.expect_event(event="socket", pid=maker.pid, family="packet")
        self.assertEqual(checked.returncode, 0)
        self.assertEqual(self.guard.status()["state"], "protected")

    def test_who_may_is_listed_but_no_news(self):
        user = self.unit_agent("dhcp")
        user.call("open_socket", family=AF_PACKET, kind=RAW)
        home = f"{self.lab.cgroup.path}/system.slice/dhcp.service"
        self.begin(host=f'{DENY}\npacket-socket-users = ["{home[1:]}"]')
        self.assertEqual(len(self.listed(user)), 1)
        self.assertEqual(self.guard.events(event="socket", pid=user.pid), [])

    def test_a_restart_finds_them_again(self):
        maker = self.unit_agent("maker")
        maker.call("open_socket", family=AF_PACKET, kind=RAW)
        self.begin()
        self.guard.kill()
        self.assertIsNone(self.guard.status()["packet_sockets"])  # nobody looks
        self.guard.start(self.file)
        self.assertEqual(len(self.listed(maker)), 1)

    @each_family
    def test_what_a_packet_socket_sends_is_judged_but_not_past_the_qdisc(self, family):
        """The one leak that no hook on packets can close: it is said, not hidden."""
        self.begin(rule("egress", "dns", both(PEER), proto="udp", ports=[53]))
        ears = self.there.call("capture", interface="eth0")["handle"]
        frames = {port: udp_frame(family, port) for port in (53, 54, 55)}
        self.here.call("send_frames", interface="eth0", frames=[frames[53], frames[54]])
        self.here.call("send_frames", interface="eth0", frames=[frames[55]], bypass=True)
        wanted = {53, 55}

        def arrived():
            heard = self.there.call("captured", handle=ears, end=False)["frames"]
            return {port for port in frames if any(f"125c{port:04x}" in f for f in heard)}
        self.assertEqual(eventually(lambda: arrived() if arrived() >= wanted else None), wanted)
        self.expect_event(direction="egress", hook="tc", dst=PEER[family], dst_port=54)
        self.assertEqual(self.tail.find(dst_port=55), [])
        self.assertIn("packet-qdisc-bypass", self.guard.status()["blind"])

    def test_what_an_af_xdp_socket_sends_passes_by_every_hook_and_is_said_to(self):
        """Through the rings of a socket bound to the guarded NIC: TC is not asked. One socket for
        both families, since a queue of a NIC has room for one."""
        self.begin()
        maker = self.unit_agent("sender")
        frames = {(family, port): udp_frame(family, port) for family in FAMILIES for port in (54, 56, 57)}
        ears = self.there.call("capture", interface="eth0")["handle"]
        made = maker.call("open_xdp", interface="eth0")
        self.assertEqual(made["result"], "open")
        for family in FAMILIES:
            self.here.call("send_frames", interface="eth0", frames=[frames[family, 54]])
            for port, by in ((56, "sendmsg"), (57, "poll")):
                self.assertEqual(maker.result("send_xdp", handle=made["handle"],
                                              frame=frames[family, port], by=by), "sent")
        wanted = {(family, port) for family in FAMILIES for port in (56, 57)}

        def arrived():
            heard = self.there.call("captured", handle=ears, end=False)["frames"]
            return {key for key, frame in frames.items() if frame in heard}
        self.assertTrue(eventually(lambda: arrived() >= wanted), f"{arrived()}")
        for family in FAMILIES:  # the same by a packet socket is judged
            self.expect_event(direction="egress", hook="tc", dst=PEER[family], dst_port=54)
            for port in (56, 57):
                self.assertEqual(self.tail.find(dst=PEER[family], dst_port=port), [])
        self.assertEqual(arrived(), wanted)
        self.assertIn("af-xdp", self.guard.status()["blind"])
        event = self.expect_event(event="socket", pid=maker.pid, family="xdp")
        self.assertEqual((event["state"], event["unit"], event["iface"]),
                         ("found", "sender.service", "eth0"))
        self.assertEqual(len(self.listed(maker, family="xdp", iface="eth0", netns="host")), 1)


if __name__ == "__main__":
    unittest.main()

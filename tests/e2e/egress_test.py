# SPDX-License-Identifier: Apache-2.0
"""What the host's processes may open connections to, and whose sockets are meant."""
import os
import sys
import unittest

from harness import (ABOVE, BELOW, FIRST, HOST, LAST, METADATA, NET, NOT_OPEN, OUTSIDE, PEER, E2e,
                     both, each_family, eventually, packets, rule)

UID = 4711
RULES = (
    rule("egress", "web", both(PEER), ports=[443])
    + rule("egress", "net", both(NET), ports=["8000-8010"])
    + rule("egress", "dns", both(PEER), proto="udp", ports=[53])
    + rule("egress", "postgres", both(PEER), ports=[5432], unit="rag.service")
    + rule("egress", "by-user", both(PEER), ports=[5433], user=UID)
    + rule("egress", "by-both", both(PEER), ports=[5435], unit="rag.service", user=UID)
    + rule("egress", "ping", both(PEER), proto="icmp")
    + rule("egress", "telnet", both(PEER), ports=[23])
    + rule("deny", "no-telnet", both(PEER), ports=[23], proto=None, direction="egress")
    + rule("egress", "syslog", both(PEER), proto="udp", ports=[514], unit="rag.service")
    + '[exfil]\ninside = ["10.0.0.0/8", "fd00::/8"]\n'
)


class Egress(E2e):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        mine = rule("egress", "by-cgroup", both(PEER), ports=[5434],
                    cgroup=f"{cls.lab.cgroup.path}/system.slice/tree.service")
        cls.share(RULES + mine)

    @classmethod
    def prepare(cls):
        for port in (22, 23, 443, 7999, 8000, 8010, 8011, 5432, 5433, 5434, 5435):
            cls.there.call("listen", port=port)
        for port in (53, 54, 443, 514):
            cls.there.call("listen", port=port, proto="udp")
        cls.rag = cls.unit_agent("rag")
        cls.user = cls.unit_agent("someone", "user", uid=UID)
        cls.rag_user = cls.unit_agent("rag-user", "rag", uid=UID)
        deep = cls.lab.cgroup.child("system.slice/tree.service/leaf/deeper")
        cls.tree = cls.host.agent(deep, name="leaf")
        # A unit's name alone is worth nothing where anybody could have made it.
        fake = cls.lab.cgroup.child("system.slice/app.service/rag.service")
        cls.impostor = cls.host.agent(fake, name="rag")

    @each_family
    def test_what_is_allowed_gets_its_answer(self, family):
        self.assertEqual(self.out(443, family), "open")
        self.assertEqual(self.out(53, family, "udp"), "open")
        self.assertEqual(self.out(53, family, "udp", connected=True), "open")

    @each_family
    def test_what_is_not_allowed_is_refused_at_once(self, family):
        self.assertEqual(self.out(22, family), "eperm")
        self.assertEqual(self.out(54, family, "udp"), "eperm")
        self.assertEqual(self.out(54, family, "udp", connected=True), "eperm")
        self.assertEqual(self.out(443, family, "udp"), "eperm")
        self.assertEqual(self.out(443, family, dst=FIRST[family]), "eperm")

    @each_family
    def test_destinations_and_ports_hold_to_both_edges(self, family):
        for port, dst, expected in ((8000, FIRST, "open"), (8010, LAST, "open"),
                                    (7999, FIRST, "eperm"), (8011, LAST, "eperm"),
                                    (8000, BELOW, "eperm"), (8010, ABOVE, "eperm")):
            self.assertEqual(self.out(port, family, dst=dst[family]), expected,
                             f"port {port} of {dst[family]}")

    @each_family
    def test_deny_comes_before_allow(self, family):
        self.assertEqual(self.out(23, family), "eperm")
        event = self.expect_event(direction="egress", dst=PEER[family], dst_port=23)
        self.assertEqual((event["reason"], event["rule"]), ("denied", "no-telnet"))

    @each_family
    def test_a_unit_is_the_cgroup_of_that_name(self, family):
        for agent, expected in ((self.rag, "open"), (self.rag_user, "open"), (self.here, "eperm"),
                                (self.impostor, "eperm"), (self.user, "eperm")):
            self.assertEqual(self.out(5432, family, agent=agent), expected, agent.title)
            self.assertEqual(self.out(514, family, "udp", agent=agent), expected, agent.title)

    @each_family
    def test_a_user_is_the_sockets_owner(self, family):
        for agent, expected in ((self.user, "open"), (self.rag_user, "open"), (self.here, "eperm"),
                                (self.rag, "eperm")):
            self.assertEqual(self.out(5433, family, agent=agent), expected, agent.title)

    @each_family
    def test_a_cgroup_covers_those_below_it(self, family):
        for agent, expected in ((self.tree, "open"), (self.here, "eperm"), (self.rag, "eperm")):
            self.assertEqual(self.out(5434, family, agent=agent), expected, agent.title)

    @each_family
    def test_a_sockets_owner_is_the_effective_user_who_made_it(self, family):
        script = (f"import os, socket; os.{{}}; s = socket.socket(socket.AF_INET{'6' if family == 6 else ''}); "
                  f"s.settimeout(5); s.connect(('{PEER[family]}', 5433))")
        cgroup = self.lab.cgroup.child("system.slice/effective.service")
        self.host.run(sys.executable, "-c", script.format(f"seteuid({UID})"), cgroup=cgroup)
        with self.assertRaisesRegex(RuntimeError, "Operation not permitted"):
            self.host.run(sys.executable, "-c", script.format(f"setreuid({UID}, 0)"), cgroup=cgroup)

    @each_family
    def test_unit_and_user_must_both_hold(self, family):
        for agent, expected in ((self.rag_user, "open"), (self.rag, "eperm"),
                                (self.user, "eperm"), (self.here, "eperm")):
            self.assertEqual(self.out(5435, family, agent=agent), expected, agent.title)

    def test_a_unit_that_is_made_later_is_known(self):
        late = self.host.agent(self.lab.cgroup.child("system.slice/later.slice/rag.service"))
        self.assertEqual(self.out(5432, 4, agent=late), "open")

    @each_family
    def test_events_say_who_it_was(self, family):
        self.assertEqual(self.out(22, family, agent=self.user), "eperm")
        event = self.expect_event(direction="egress", dst=PEER[family], dst_port=22,
                                  pid=self.user.pid)
        self.assertEqual((event["event"], event["reason"], event["comm"], event["uid"]),
                         ("drop", "no-rule", "someone", UID))
        self.assertEqual(event["cgroup"], self.lab.cgroup.path + "/system.slice/user.service")
        self.assertEqual(event["unit"], "user.service")
        self.assertRegex(event["exe"], r"/python3[.0-9]*$")
        self.assertEqual(event["slice"], "system.slice")
        self.assertEqual(event["ppid"], os.getpid())
        self.assertNotIn("cmdline", event)  # unless it is asked for
        self.assertEqual(event["hook"], "connect")

    @each_family
    def test_only_a_way_out_of_the_inside_is_exfiltration(self, family):
        self.assertEqual(self.out(22, family, agent=self.rag), "eperm")
        self.assertEqual(self.out(22, family, agent=self.rag, dst=OUTSIDE[family]), "eperm")
        inner = self.expect_event(dst=PEER[family], dst_port=22, pid=self.rag.pid)
        outer = self.expect_event(dst=OUTSIDE[family], dst_port=22, pid=self.rag.pid)
        self.assertNotIn("exfil", inner)
        self.assertIs(outer["exfil"], True)
        self.assertEqual((outer["unit"], outer["reason"]), ("rag.service", "no-rule"))

    @each_family
    def test_the_metadata_address_has_its_own_reason(self, family):
        self.assertEqual(self.out(443, family, dst=METADATA[family]), "eperm")
        event = self.expect_event(dst=METADATA[family], dst_port=443)
        self.assertEqual((event["reason"], event["exfil"]), ("metadata", True))

    def test_mapped_addresses_are_the_addresses_they_map(self):
        self.assertEqual(self.out(443, 4, as_mapped=True), "open")
        self.assertEqual(self.out(53, 4, "udp", as_mapped=True), "open")
        self.assertEqual(self.out(22, 4, as_mapped=True), "eperm")
        self.assertEqual(self.out(54, 4, "udp", as_mapped=True), "eperm")
        self.assertEqual(self.out(54, 4, "udp", as_mapped=True, connected=True), "eperm")
        self.expect_event(dst=PEER[4], dst_port=22, proto="tcp")

    @each_family
    def test_fast_open_gets_no_further_than_connect(self, family):
        self.assertEqual(self.out(443, family, fast_open=True), "open")
        ears = self.there.call("capture", interface="eth0")["handle"]
        self.assertIn(self.out(22, family, fast_open=True), NOT_OPEN)
        self.assertEqual(self.heard(ears, "0016"), [])

    def heard(self, ears, port):
        """Frames with that destination port (hex), 20 or 40 bytes of IP header before it."""
        frames = self.there.call("captured", handle=ears)["frames"]
        at = {"0800": 72, "86dd": 112}
        return [f for f in frames if f[at.get(f[24:28], 0):][:4] == port]

    @each_family
    def test_raw_sockets_are_judged_by_the_rules(self, family):
        host, peer = HOST[family], PEER[family]
        ears = self.there.call("capture", interface="eth0")["handle"]
        for port in (53, 54):
            for data, included in ((packets.udp(host, peer, 4000, port, b"raw"), False),
                                   (packets.ip(host, peer, 17,
                                               packets.udp(host, peer, 4001, port)), True)):
                self.here.call("raw", dst=peer, proto=255 if included else 17, data=data.hex(),
                               header_included=included)
        self.expect_event(direction="egress", dst=peer, dst_port=54, comm="app")
        frames = []

        def left():
            frames.extend(self.there.call("captured", handle=ears, end=False)["frames"])
            return any("0035" in f[68:76] or "0035" in f[108:116] for f in frames)
        self.assertTrue(eventually(left), "what a rule allows did not leave by a raw socket")
        self.assertEqual(self.heard(ears, "0036"), [])

    @each_family
    def test_a_datagram_larger_than_the_mtu_leaves_in_fragments(self, family):
        ears = self.there.call("capture", interface="eth0")["handle"]
        self.out(53, family, "udp", size=4000)

        def is_fragment(frame):
            if family == 6:
                return frame[24:28] == "86dd" and frame[40:42] == "2c"
            return frame[24:28] == "0800" and int(frame[40:44], 16) & 0x3fff != 0
        seen = []

        def left():
            seen.extend(self.there.call("captured", handle=ears, end=False)["frames"])
            return sum(map(is_fragment, seen)) >= 3
        self.assertTrue(eventually(left), "the fragments of an allowed datagram did not all leave")
        self.expect_no_event(direction="egress", reason="fragment", dst=PEER[family])

    @each_family
    def test_pings_go_where_they_are_allowed(self, family):
        self.assertEqual(self.here.result("ping", dst=PEER[family]), "open")
        self.assertIn(self.here.result("ping", dst=OUTSIDE[family]), NOT_OPEN)
        self.expect_event(direction="egress", dst=OUTSIDE[family], exfil=True)

    @each_family
    def test_packet_sockets_are_judged_at_the_nic(self, family):
        """Whatever way a frame takes around the socket hooks, the NIC's hook is left."""
        host, peer = HOST[family], PEER[family]
        ears = self.there.call("capture", interface="eth0")["handle"]
        frames = [packets.ethernet("02:00:00:00:00:02", "02:00:00:00:00:01",
                                   packets.ip(host, peer, 17,
                                              packets.udp(host, peer, 4500, port, b"frame"))).hex()
                  for port in (53, 54)]
        self.here.call("send_frames", interface="eth0", frames=frames)
        event = self.expect_event(direction="egress", dst=peer, dst_port=54, src_port=4500)
        self.assertEqual((event["hook"], event["reason"]), ("tc", "no-rule"))
        frames = self.there.call("captured", handle=ears, end=False)["frames"]
        self.assertTrue(any("11940035" in f for f in frames), "an allowed frame did not leave")
        self.assertEqual(self.heard(ears, "0036"), [])

    @each_family
    def test_nobody_may_name_himself_into_a_unit(self, family):
        """comm is a process's own choice and decides nothing."""
        self.assertEqual(self.out(5432, family, agent=self.impostor), "eperm")
        event = self.expect_event(dst_port=5432, dst=PEER[family], pid=self.impostor.pid)
        self.assertEqual(event["comm"], "rag")

    @each_family
    def test_a_socket_keeps_the_cgroup_it_was_made_in(self, family):
        mover = self.unit_agent(f"mover{family}", "rag")
        made = mover.call("make_udp", family=family)["handle"]
        home = self.lab.cgroup.child("system.slice/other.service")
        mover.call("move", cgroup=home.directory)
        self.assertEqual(mover.result("send_on", handle=made, dst=PEER[family], port=514), "open")
        self.assertEqual(self.out(514, family, "udp", agent=mover), "eperm")


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""Ways out around the hooks that refuse an opening: each ends at a door all the same."""
import unittest

from allow_all import AllowAll
from harness import (FIRST, HOST, NOT_OPEN, OUTSIDE, PEER, E2e, both, each_family, eventually,
                     packets, rule)

GROUP = {4: "239.1.1.1", 6: "ff05::77"}
OTHER_GROUP = {4: "239.1.1.2", 6: "ff05::78"}
BROADCAST = "10.1.0.255"
INNER, INNER_PEER = {4: "10.8.0.1", 6: "fd00:8::1"}, {4: "10.8.0.2", 6: "fd00:8::2"}
INNER9, INNER9_PEER = {4: "10.9.0.1", 6: "fd00:9::1"}, {4: "10.9.0.2", 6: "fd00:9::2"}
MPTCP, SCTP = 262, 132
REFUSED = NOT_OPEN + ("enobufs",)

RULES = (
    rule("egress", "web", both(PEER), ports=[443])
    + rule("egress", "ways", both(PEER) + both(FIRST), ports=["8440-8449"])
    + rule("egress", "dns", both(PEER) + both(FIRST), proto="udp", ports=[53])
    + rule("egress", "lite", both(PEER), proto="udp-lite", ports=[700])
    + rule("egress", "ping", both(PEER), proto="icmp")
    + rule("egress", "group", both(GROUP) + [BROADCAST], proto="udp", ports=[5000])
    + rule("egress", "syslog", both(PEER), proto="udp", ports=[514], unit="rag.service")
    + rule("egress", "sctp", both(PEER), proto="sctp", ports=[9000])
    + rule("egress", "gre", both(PEER), proto=47)
    + rule("egress", "tunnel", [PEER[4]], proto="udp", ports=[4789])
    + rule("egress", "inner", both(INNER_PEER) + both(INNER9_PEER), ports=[443])
)


class Detours(E2e):
    @classmethod
    def prepare(cls):
        for port in (443, 444):
            cls.there.call("listen", port=port)
        for port in (53, 54, 514, 700):
            cls.there.call("listen", port=port, proto="udp")
        for port in (700, 701):
            cls.there.call("echo_udplite", port=port)
        try:
            for port in (9000, 9001):
                cls.there.call("listen_stream", port=port, proto=SCTP)
        except RuntimeError:
            pass  # no SCTP here
        cls.rag = cls.unit_agent("rag")
        cls.outside = cls.host.agent(name="outside")  # in no cgroup of the lab
        cls.old = {family: cls.here.call("make_udp", family=family)["handle"]
                   for family in (4, 6)}
        cls.old_tcp = {}
        cls.share(RULES)

    def ears(self):
        handle = self.there.call("capture", interface="eth0")["handle"]

        def ports(wait_for=()):
            """Destination ports of UDP and TCP that have arrived; waits for those."""
            def heard():
                found = set()
                for frame in self.there.call("captured", handle=handle, end=False)["frames"]:
                    at = {"0800": 72, "86dd": 112}.get(frame[24:28])
                    if at is not None and len(frame) >= at + 4:
                        found.add(int(frame[at:at + 4], 16))
                return found
            eventually(lambda: heard() >= set(wait_for))
            return heard()
        return ports

    @each_family
    def test_a_connected_socket_sends_elsewhere_by_the_rules(self, family):
        def elsewhere(dst, port):
            return self.here.result("send_elsewhere", dst=PEER[family], port=53, elsewhere=dst,
                                    elsewhere_port=port)
        self.assertEqual(elsewhere(FIRST[family], 53), "sent")
        for dst, port in ((PEER[family], 54), (FIRST[family], 54), (OUTSIDE[family], 53)):
            self.assertEqual(elsewhere(dst, port), "eperm", f"{dst} {port}")

    @each_family
    def test_of_many_messages_at_once_each_is_judged(self, family):
        ports = self.ears()
        peer = PEER[family]
        allowed, refused = [peer, 53], [peer, 54]

        def sent(*targets):
            return self.here.call("sendmmsg", targets=targets)["sent"]
        self.assertEqual(sent(allowed, allowed, allowed), 3)
        self.assertEqual(sent(allowed, refused, allowed), 1)
        self.assertEqual(sent(refused, allowed), 0)
        self.assertIn(53, ports([53]))
        self.assertNotIn(54, ports())

    @each_family
    def test_fast_open_on_connect_gets_no_further_than_connect(self, family):
        def stream(port):
            return self.out(port, family, "stream_to", fast_open_connect=True)
        self.assertEqual(stream(443), "open")
        self.assertEqual(stream(443), "open")  # with the cookie of the first
        ports = self.ears()
        self.assertEqual(stream(444), "eperm")
        self.assertNotIn(444, ports())

    @each_family
    def test_mptcp_is_judged_as_tcp(self, family):
        self.assertEqual(self.out(443, family, "stream_to", proto=MPTCP), "open")
        self.assertEqual(self.out(444, family, "stream_to", proto=MPTCP), "eperm")

    @each_family
    def test_io_uring_opens_nothing_that_its_process_may_not(self, family):
        ports = self.ears()
        for asynchronous in (False, True):
            more = {"asynchronous": asynchronous}
            if self.out(443, family, "uring_connect", **more) == "no-uring":
                self.skipTest("this kernel has no io_uring for us")
            self.assertEqual(self.out(443, family, "uring_connect", **more), "open")
            self.assertEqual(self.out(444, family, "uring_connect", **more), "eperm")
            self.assertEqual(self.out(53, family, "uring_sendmsg", **more), "open")
            self.assertEqual(self.out(54, family, "uring_sendmsg", **more), "eperm")
        self.assertFalse(ports([443, 53]) & {444, 54})

    @each_family
    def test_udp_lite_is_a_protocol_of_its_own(self, family):
        if self.out(700, family, "udplite") == "eprotonosupport":
            self.skipTest("this kernel has no UDP-Lite")
        self.assertEqual(self.out(700, family, "udplite"), "open")
        self.assertIn(self.out(701, family, "udplite"), NOT_OPEN)
        self.assertEqual(self.out(700, family, "udp"), "eperm")  # its rule is none for UDP
        self.assertIn(self.out(53, family, "udplite"), NOT_OPEN)

    @each_family
    def test_sctp_goes_to_its_own_ports_only(self, family):
        if self.out(9000, family, "stream_to", proto=SCTP) == "eprotonosupport":
            self.skipTest("this kernel has no SCTP; a guest has: -M sctp")
        self.assertEqual(self.out(9000, family, "stream_to", proto=SCTP), "open")
        self.assertIn(self.out(9001, family, "stream_to", proto=SCTP), NOT_OPEN)
        self.assertEqual(self.out(9000, family), "eperm")  # as TCP it has no rule

    @each_family
    def test_ping_sockets_ping_where_they_may(self, family):
        self.assertEqual(self.here.result("ping_socket", dst=PEER[family]), "open")
        self.assertIn(self.here.result("ping_socket", dst=OUTSIDE[family]), NOT_OPEN)
        self.expect_event(direction="egress", dst=OUTSIDE[family], exfil=True)

    @each_family
    def test_raw_sockets_carry_only_protocols_that_a_rule_names(self, family):
        """A tunnel built by hand: GRE has a rule, IP in IP, IPv6, SCTP, ESP and 253 have none."""
        handle = self.there.call("capture", interface="eth0")["handle"]
        for proto in (4, 41, 132, 50, 253, 47):
            self.here.call("raw", dst=PEER[family], proto=proto, data="5a" * 24)
            self.here.call("raw", dst=PEER[family], proto=255, header_included=True,
                           data=packets.ip(HOST[family], PEER[family], proto, b"\xa5" * 24).hex())

        def arrived():
            frames = self.there.call("captured", handle=handle, end=False)["frames"]
            at = {4: 46, 6: 40}[family]
            return sorted(int(f[at:at + 2], 16) for f in frames if "5a" * 20 in f or "a5" * 20 in f)
        self.assertTrue(eventually(lambda: len(arrived()) >= 2))
        self.assertEqual(arrived(), [47, 47])

    @each_family
    def test_a_source_that_is_not_the_hosts_changes_nothing(self, family):
        """A raw socket writes what it likes into the header; where to is what counts."""
        ports = self.ears()
        for port in (53, 54):
            self.here.call("raw", dst=PEER[family], proto=255, header_included=True,
                           data=packets.ip(OUTSIDE[family], PEER[family], 17, packets.udp(
                               OUTSIDE[family], PEER[family], 4300, port, b"forged")).hex())
        self.assertIn(53, ports([53]))
        self.assertNotIn(54, ports())

    @each_family
    def test_mptcp_adds_no_way_that_is_not_allowed(self, family):
        """The kernel opens further ways by itself, to addresses that the far end names."""
        for host, port in ((self.host, 0), (self.peer, 0)):
            host.run("ip", "mptcp", "limits", "set", "subflow", "4", "add_addr_accepted", "4")
        for address in (OUTSIDE[family], FIRST[family]):
            self.peer.ip(f"mptcp endpoint add {address} dev eth0 signal")
        self.addCleanup(self.peer.ip, "mptcp endpoint flush")
        handle = self.there.call("capture", interface="eth0")["handle"]
        port = 8440 + family
        self.there.call("listen_stream", port=port, proto=MPTCP)
        self.assertEqual(self.out(port, family, "stream_to", proto=MPTCP, linger=1.0), "open")

        def asked():
            frames = self.there.call("captured", handle=handle, end=False)["frames"]
            at, span = {4: (60, 8), 6: (76, 32)}[family]
            return {f[at:at + span] for f in frames if f[{4: 72, 6: 112}[family]:][:4] == f"{port:04x}"}

        def bare(address):
            return packets.address(address).hex()
        self.assertTrue(eventually(lambda: bare(FIRST[family]) in asked()),
                        "the way that is allowed was not tried: this shows nothing")
        self.assertNotIn(bare(OUTSIDE[family]), asked())
        self.expect_event(direction="egress", dst=OUTSIDE[family], dst_port=port)

    @each_family
    def test_groups_are_destinations_like_others(self, family):
        def send(dst, port=5000):
            return self.here.result("send_group", dst=dst, port=port, interface="eth0")
        ports = self.ears()
        self.assertEqual(send(GROUP[family]), "sent")
        self.assertEqual(send(GROUP[family], 5001), "eperm")
        self.assertEqual(send(OTHER_GROUP[family], 5002), "eperm")
        self.assertIn(5000, ports([5000]))
        self.assertFalse(ports() & {5001, 5002})

    @each_family
    def test_a_source_route_leads_past_no_door(self, family):
        """Any process may ask for one: an allowed destination, by way of another, or behind it."""
        ports = self.ears()
        for dst, through in ((PEER, OUTSIDE), (OUTSIDE, PEER), (PEER, FIRST)):
            self.assertEqual(self.here.result("send_routed", dst=dst[family], port=53,
                                              through=through[family]), "eperm")
        self.assertEqual(self.out(54, family, "udp", dst=FIRST[family], wait=False), "eperm")
        self.assertNotIn(53, ports())
        self.assertEqual(self.out(53, family, "udp", wait=False), "sent")
        self.assertIn(53, ports([53]))

    def test_the_port_of_a_dhcp_client_is_no_way_out(self):
        """The essentials let a client renew its lease; anybody could bind its port."""
        ports = self.ears()
        for dst, outcome in ((PEER[4], "sent"), (OUTSIDE[4], "eperm"), ("8.8.8.8", "eperm")):
            self.assertEqual(self.out(67, 4, "udp", dst=dst, src_port=68, wait=False), outcome)
        self.assertIn(67, ports([67]))
        self.expect_event(direction="egress", dst=OUTSIDE[4], src_port=68, dst_port=67, exfil=True)
        for dst in (PEER[6], OUTSIDE[6]):
            self.assertEqual(self.out(547, 6, "udp", dst=dst, src_port=546, wait=False), "eperm")
        for how, more in (("cooked", {}), ("whole", {"header_included": True})):
            datagram = packets.udp(HOST[4], OUTSIDE[4], 68, 67, how.encode())
            data = packets.ip(HOST[4], OUTSIDE[4], 17, datagram) if more else datagram
            self.assertEqual(self.here.result("raw", dst=OUTSIDE[4], proto=255 if more else 17,
                                              data=data.hex(), **more), "eperm")

    def test_broadcast_is_a_destination_like_others(self):
        def send(dst, port):
            return self.here.result("send_group", dst=dst, port=port, interface="eth0")
        ports = self.ears()
        self.assertEqual(send(BROADCAST, 5000), "sent")
        self.assertEqual(send(BROADCAST, 5003), "eperm")
        self.assertEqual(send("255.255.255.255", 5004), "eperm")
        self.assertIn(5000, ports([5000]))
        self.assertFalse(ports() & {5003, 5004})

    @each_family
    def test_a_socket_older_than_the_wall_is_judged_like_any(self, family):
        old = self.old[family]
        self.assertEqual(self.here.result("send_on", handle=old, dst=PEER[family], port=53), "open")
        self.assertEqual(self.here.result("send_on", handle=old, dst=PEER[family], port=54),
                         "eperm")

    def handed(self, giver, taker, family, name):
        """A datagram socket that the one makes and the other gets; the handle of the other."""
        made = giver.call("open_socket", family={4: 2, 6: 10}[family], kind=2)["handle"]
        door = f"{self.lab.name}-{name}-{family}"
        waiting = taker.begin("await_socket", name=door)
        self.assertEqual(giver.result("give_socket", handle=made, name=door), "sent")
        return taker.finish(waiting)["handle"]

    @each_family
    def test_a_socket_that_was_handed_over_is_its_makers(self, family):
        """It gives the taker what its maker may, and no more; the maker's unit, not the taker's."""
        peer = PEER[family]
        mine = self.handed(self.here, self.rag, family, "to-rag")
        self.assertEqual(self.rag.result("ask_on", handle=mine, dst=peer, port=53), "open")
        self.assertEqual(self.rag.result("ask_on", handle=mine, dst=peer, port=514), "eperm")
        theirs = self.handed(self.rag, self.here, family, "to-app")
        self.assertEqual(self.here.result("ask_on", handle=theirs, dst=peer, port=514), "open")
        self.assertEqual(self.here.result("ask_on", handle=theirs, dst=peer, port=54), "eperm")

    @each_family
    def test_a_socket_made_outside_the_cgroup_is_judged_at_the_nic(self, family):
        ports = self.ears()
        got = self.handed(self.outside, self.here, family, "from-outside")
        self.assertEqual(self.here.result("ask_on", handle=got, dst=PEER[family], port=53), "open")
        self.assertIn(self.here.result("ask_on", handle=got, dst=PEER[family], port=54), REFUSED)
        # No identity: what is for a unit is for nobody here.
        self.assertIn(self.here.result("ask_on", handle=got, dst=PEER[family], port=514), REFUSED)
        event = self.expect_event(direction="egress", dst=PEER[family], dst_port=514, hook="tc")
        self.assertEqual(event["reason"], "no-rule")
        self.assertFalse(ports([53]) & {54, 514})

    @each_family
    def test_a_child_cgroups_own_programs_allow_nothing(self, family):
        for way in ("multi", "override", "none"):
            cgroup = self.lab.cgroup.child(f"system.slice/{way}{family}.service")
            with AllowAll(cgroup.directory, way):
                agent = self.host.agent(cgroup, name=way)
                self.assertEqual(self.out(443, family, agent=agent), "open", way)
                self.assertEqual(self.out(444, family, agent=agent), "eperm", way)
                self.assertEqual(self.out(53, family, "udp", agent=agent), "open", way)
                self.assertEqual(self.out(54, family, "udp", agent=agent), "eperm", way)
                self.assertEqual(agent.result("ping", dst=PEER[family]), "open", way)
                self.assertIn(agent.result("ping", dst=OUTSIDE[family]), NOT_OPEN, way)
                agent.close()

    @each_family
    def test_a_child_cgroup_that_rewrites_destinations_is_judged_by_the_last(self, family):
        """Its connect program may turn an allowed destination into another."""
        cgroup = self.lab.cgroup.child(f"system.slice/rewriter{family}.service")
        with AllowAll(cgroup.directory, "multi", rewrite_to=OUTSIDE[family]):
            agent = self.host.agent(cgroup, name="rewriter")
            self.assertIn(self.out(443, family, agent=agent), NOT_OPEN)
            self.expect_event(direction="egress", dst=OUTSIDE[family], dst_port=443, exfil=True)
            agent.close()

    @each_family
    def test_what_a_tun_device_hands_in_is_routed_traffic(self, family):
        self.host.forward()
        name = f"tun{family}"
        self.here.call("tun", name=name)
        self.host.ip(f"link set {name} up")
        source = {4: "10.77.0.2", 6: "fd00:77::2"}[family]
        self.host.route({4: f"10.77.0.0/24 dev {name}", 6: f"fd00:77::/64 dev {name}"}[family])
        ports = self.ears()
        done = self.here.result("tun_send", name=name, packets=[packets.ip(
            source, PEER[family], 17,
            packets.udp(source, PEER[family], 4000, 53, b"routed")).hex()])
        self.assertEqual(done, "sent")
        event = self.expect_event(direction="forward", src=source, dst_port=53)
        self.assertEqual(event["event"], "drop")
        self.assertNotIn(53, ports())

    def tunnel(self, name, port, here, there):
        for host, own, remote in ((self.host, here, PEER[4]), (self.peer, there, HOST[4])):
            host.ip(f"link add {name} type vxlan id {port} remote {remote} dev eth0 "
                    f"dstport {port} udpcsum", f"link set {name} mtu 1400 up")
            host.address(name, f"{own[4]}/24", f"{own[6]}/64")

    def test_a_tunnel_needs_its_own_door(self):
        self.tunnel("vx0", 4789, INNER, INNER_PEER)
        self.tunnel("vx9", 4790, INNER9, INNER9_PEER)
        ports = self.ears()
        for family in (4, 6):
            self.out(443, family, dst=INNER_PEER[family])
            self.assertEqual(self.out(444, family, dst=INNER_PEER[family]), "eperm")
            self.assertIn(self.out(443, family, dst=INNER9_PEER[family]),
                          NOT_OPEN + ("unreachable",))
        self.assertIn(4789, ports([4789]))
        self.assertNotIn(4790, ports())
        self.expect_event(direction="egress", dst=PEER[4], dst_port=4790)


class KernelAnswers(E2e):
    """What the kernel says by itself opens no hole: neither for whom it answers, nor whom a
    forger has made it answer."""

    SECOND_NIC = True
    POLICY = (rule("ingress", "web", both(PEER), ports=[80])
              + rule("ingress", "dns", both(PEER), proto="udp", ports=[53])
              + rule("egress", "https", both(PEER), ports=[443]))

    @classmethod
    def prepare(cls):
        cls.there.call("listen", port=443)

    def counts(self):
        status = self.guard.status()
        return {**status["reasons"], "flows": status["flows"]["entries"]}

    @each_family
    def test_a_reset_of_a_closed_port_is_no_flow(self, family):
        """Port 80 is open in the wall and has no listener: the kernel answers with a reset."""
        self.assertEqual(self.into(80, family, src_port=4080), "refused")
        for flags in ("A", "PA", "SA", "FA", "R"):
            self.send(self.frame(packets.ip(PEER[family], HOST[family], 6, packets.tcp(
                PEER[family], HOST[family], 4080, 81, flags, 1, 1))))
        event = self.expect_event(direction="ingress", src=PEER[family], src_port=4080, dst_port=81)
        self.assertIn(event["reason"], ("no-flow", "no-rule"))
        self.assertEqual(self.out(4080, family), "eperm")

    @each_family
    def test_a_forged_packet_by_another_way_opens_none_here(self, family):
        """Over the unguarded side, in the name of the guarded side's peer: the host's answers
        leave by the guarded NIC. Then the peer tries what a reply would look like."""
        host, peer = HOST[family], PEER[family]
        forged = [packets.ip(peer, host, 6, packets.tcp(peer, host, 4100, 8100, "S")),
                  packets.ip(peer, host, 6, packets.tcp(peer, host, 4100, 8101, "A", 1, 1)),
                  packets.ip(peer, host, 17, packets.udp(peer, host, 4100, 8102, b"x")),
                  packets.echo_request(peer, host, 77)]
        ears = self.there.call("capture", interface="eth0")["handle"]
        macs = (self.host.ip_json("link", "show", "eth1")[0]["address"],
                self.peer.ip_json("link", "show", "eth1")[0]["address"])
        self.send(*(packets.ethernet(*macs, packet) for packet in forged), interface="eth1")

        def reset_came():
            frames = self.there.call("captured", handle=ears, end=False)["frames"]
            return any("1fa41004" in f for f in frames)  # from port 8100 to 4100
        self.assertTrue(eventually(reset_came), "the forger got no answer: nothing was tried")
        before = self.counts()
        for port, flags in ((8100, "A"), (8100, "SA"), (8101, "PA"), (8100, "S")):
            self.send(self.frame(packets.ip(peer, host, 6, packets.tcp(
                peer, host, 4100, port, flags, 1, 1))))
        self.send(self.frame(packets.ip(peer, host, 17,
                                        packets.udp(peer, host, 4100, 8102, b"again"))))
        self.expect_event(direction="ingress", src=peer, src_port=4100, dst_port=8102)
        after = eventually(lambda: self.counts() if sum(
            self.counts().get(r, 0) - before.get(r, 0)
            for r in ("no-rule", "no-flow")) >= 5 else None)
        self.assertIsNotNone(after, f"not all of the forger's packets were dropped: {before}")
        self.assertEqual(after["flows"], before["flows"])

    @each_family
    def test_the_last_words_of_a_closed_connection_open_no_other(self, family):
        """The host closes first, so its kernel keeps TIME_WAIT and answers for it by itself."""
        def say(src_port, dst_port, flags):
            self.send(self.frame(packets.ip(PEER[family], HOST[family], 6, packets.tcp(
                PEER[family], HOST[family], src_port, dst_port, flags, 1, 1))))
        self.assertEqual(self.out(443, family, src_port=4200), "open")
        for src_port, dst_port, flags in ((443, 4201, "A"), (444, 4202, "SA"), (443, 4203, "R")):
            say(443, 4200, "A")  # within the old connection: TIME_WAIT answers it
            say(src_port, dst_port, flags)
            event = self.expect_event(direction="ingress", src=PEER[family], src_port=src_port,
                                      dst_port=dst_port)
            self.assertEqual(event["reason"], "no-flow")
        say(443, 4200, "S")  # a bare SYN opens, and never asks the old connection
        event = self.expect_event(direction="ingress", src=PEER[family], src_port=443,
                                  dst_port=4200)
        self.assertEqual((event["reason"], event["tcp_flags"]), ("no-rule", "S"))


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""A policy without a rule: nothing passes but what keeps a host on its network."""
import ipaddress
import struct
import unittest

from harness import HOST, HOST_MAC, PEER, PEER_MAC, E2e, each_family, eventually, packets


class DefaultDeny(E2e):
    POLICY = ""

    @classmethod
    def prepare(cls):
        cls.here.call("listen", port=22)
        cls.here.call("listen", port=53, proto="udp")
        cls.there.call("listen", port=443)
        cls.there.call("listen", port=53, proto="udp")

    @each_family
    def test_nobody_connects_to_a_listening_port(self, family):
        self.assertEqual(self.into(22, family), "timeout")
        event = self.expect_event(direction="ingress", src=PEER[family], dst_port=22)
        self.assertEqual((event["event"], event["reason"], event["proto"], event["tcp_flags"]),
                         ("drop", "no-rule", "tcp", "S"))
        self.assertEqual((event["dst"], event["iface"], event["hook"]),
                         (HOST[family], "eth0", "xdp"))
        self.assertNotIn("exfil", event)

    @each_family
    def test_a_closed_port_is_as_silent_as_an_open_one(self, family):
        self.assertEqual(self.into(23, family), "timeout")
        self.assertEqual(self.into(54, family, "udp"), "timeout")

    @each_family
    def test_udp_does_not_come_in(self, family):
        self.assertEqual(self.into(53, family, "udp"), "timeout")
        self.expect_event(direction="ingress", proto="udp", src=PEER[family], dst_port=53)

    @each_family
    def test_nothing_leaves_and_the_caller_learns_it_at_once(self, family):
        self.assertEqual(self.out(443, family), "eperm")
        self.assertEqual(self.out(53, family, "udp"), "eperm")
        self.expect_event(direction="egress", proto="tcp", dst=PEER[family], dst_port=443)
        self.expect_event(direction="egress", proto="udp", dst=PEER[family], dst_port=53)

    @each_family
    def test_ping_is_answered_by_default(self, family):
        self.assertEqual(self.there.result("ping", dst=HOST[family]), "open")

    @each_family
    def test_the_host_itself_may_not_ping(self, family):
        self.assertIn(self.here.result("ping", dst=PEER[family]), ("eperm", "timeout"))

    @each_family
    def test_loopback_is_never_judged(self, family):
        for address in ({4: "127.0.0.1", 6: "::1"}[family], HOST[family]):
            self.assertEqual(self.here.result("tcp", dst=address, port=22), "open")
            self.assertEqual(self.here.result("udp", dst=address, port=53), "open")

    def neighbours(self, family):
        known = self.host.ip_json(f"-{family}", "neigh", "show", "dev", "eth0")
        return [n for n in known if n["dst"] == PEER[family] and n.get("lladdr") == PEER_MAC]

    @each_family
    def test_neighbours_are_found_in_both_directions(self, family):
        for host, address in ((self.host, PEER), (self.peer, HOST)):
            host.ip(f"neigh flush to {address[family]} dev eth0")
        self.assertEqual(self.there.result("ping", dst=HOST[family], timeout=3.0), "open")
        self.assertTrue(eventually(lambda: self.neighbours(family)))

    def test_a_solicitation_from_beyond_a_router_is_dropped(self):
        ears = self.there.call("capture", interface="eth0")["handle"]
        near = packets.neighbour_solicitation(PEER_MAC, PEER[6], HOST[6], hop_limit=255)
        far = packets.neighbour_solicitation(PEER_MAC, PEER[6], HOST[6], hop_limit=254)
        asked = ipaddress.ip_address(HOST[6]).packed
        self.send(far)
        self.expect_event(reason="neighbour", direction="ingress")

        def answers():
            heard = self.there.call("captured", handle=ears, end=False)["frames"]
            # About the address asked for: the peer's own kernel asks, too, for link-local ones.
            return [f for f in heard if f[24:28] == "86dd" and f[40:42] == "3a"
                    and f[108:110] == "88" and bytes.fromhex(f[124:156]) == asked]
        self.assertEqual(answers(), [])
        self.send(near)
        self.assertTrue(eventually(answers), "a good solicitation was not answered either")
        self.there.call("captured", handle=ears)

    def test_arp_is_answered(self):
        ears = self.there.call("capture", interface="eth0")["handle"]
        self.send(packets.arp_request(PEER_MAC, PEER[4], HOST[4]))

        def answers():
            heard = self.there.call("captured", handle=ears, end=False)["frames"]
            return [f for f in heard if f[24:28] == "0806" and f[40:44] == "0002"]
        self.assertTrue(eventually(answers))
        self.there.call("captured", handle=ears)

    @each_family
    def test_other_protocols_are_dropped_by_name(self, family):
        for proto, payload in ((packets.SCTP, packets.sctp_init(4000, 5000)), (47, bytes(8)),
                               (50, bytes(16))):
            self.send(self.frame(packets.ip(PEER[family], HOST[family], proto, payload)))
            name = {132: "sctp", 47: "gre", 50: "esp"}[proto]
            self.expect_event(direction="ingress", proto=name, src=PEER[family], reason="no-rule")

    def test_an_unknown_ethertype_is_dropped(self):
        self.send(packets.ethernet(HOST_MAC, PEER_MAC, bytes(50), 0x9000))
        self.expect_event(reason="ethertype")

    @each_family
    def test_an_icmp_error_that_quotes_no_flow_is_dropped(self, family):
        never = packets.ip(HOST[family], PEER[family], packets.UDP,
                           packets.udp(HOST[family], PEER[family], 5000, 53))
        self.send(self.frame(packets.unreachable(PEER[family], HOST[family], never)))
        self.expect_event(reason="icmp-unrelated", src=PEER[family])

    def test_redirects_are_dropped(self):
        quoted = packets.ipv4(HOST[4], PEER[4], packets.UDP, packets.udp(HOST[4], PEER[4], 1, 2))
        rest = struct.pack("!4B", 10, 1, 0, 9)
        self.send(self.frame(packets.ipv4(PEER[4], HOST[4], packets.ICMP,
                                          packets.icmp(5, 1, rest, quoted[:28]))))
        self.expect_event(reason="redirect", src=PEER[4])

    def test_reasons_add_up_to_the_drops(self):
        self.into(22, 4)
        status = self.guard.status()
        nic = [h for h in status["hooks"] if h["hook"] == "xdp"]
        self.assertEqual([h["iface"] for h in nic], ["eth0"])
        self.assertGreater(nic[0]["dropped"], 0)
        self.assertEqual(sum(h["dropped"] for h in status["hooks"]),
                         sum(status["reasons"].values()))


class Silenced(E2e):
    """Essentials that are switched off are off."""

    def test_ping_can_be_nobodys(self):
        self.begin('[essentials]\nping = "none"\n')
        for family in (4, 6):
            self.assertEqual(self.there.result("ping", dst=HOST[family]), "timeout")

    def test_ping_can_be_somebodys(self):
        self.begin('[essentials]\nping = "friends"\n',
                   zones=f'[zones]\nfriends = ["{PEER[4]}", "{PEER[6]}"]\n')
        for family, stranger in ((4, "10.2.0.64"), (6, "fd00:2:0:1::")):
            self.assertEqual(self.there.result("ping", dst=HOST[family]), "open")
            self.assertEqual(self.there.result("ping", dst=HOST[family], src=stranger), "timeout")

    def test_arp_can_be_off(self):
        self.begin("[essentials]\narp = false\n")
        self.send(packets.arp_request(PEER_MAC, PEER[4], HOST[4]))
        self.expect_event(reason="arp")


if __name__ == "__main__":
    unittest.main()

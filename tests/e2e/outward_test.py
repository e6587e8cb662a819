# SPDX-License-Identifier: Apache-2.0
"""NAT that leads out: by addresses that are not the host's, to ports published elsewhere."""
import unittest

from forward_test import BOX, MASQUERADE, TO_PEER, Routing, as_published, forward
from harness import HOST, HOST_MAC, LAST, PEER, PEER_MAC, both, each_family, eventually, packets, rule

POOL = {4: "10.7.0.77", 6: "fd00:1:0:7::77"}
GATE = {4: "10.9.0.1", 6: "fd00:9::1"}
TO_POOL = """
table ip nat { chain post { type nat hook postrouting priority srcnat;
  oifname "eth0" snat to 10.7.0.77; }
}
table ip6 nat { chain post { type nat hook postrouting priority srcnat;
  oifname "eth0" snat to fd00:1:0:7::77; }
}
"""
ELSEWHERE = MASQUERADE + """
table ip out { chain pre { type nat hook prerouting priority dstnat;
  fib daddr type local tcp dport 8100 dnat to 10.1.0.2:443
  fib daddr type local tcp dport 8101 dnat to 10.1.0.2:444
  fib daddr type local tcp dport 8102 dnat to 10.9.0.2:80; }
}
table ip6 out { chain pre { type nat hook prerouting priority dstnat;
  fib daddr type local tcp dport 8100 dnat to [fd00:1::2]:443
  fib daddr type local tcp dport 8101 dnat to [fd00:1::2]:444
  fib daddr type local tcp dport 8102 dnat to [fd00:9::2]:80; }
}
"""


class Pool(Routing):
    """The box goes out by an address that is nobody's."""
    POLICY = TO_PEER

    @classmethod
    def network(cls):
        cls.nft(TO_POOL)
        cls.peer.route(*(f"{POOL[f]} via {HOST[f]}" for f in (4, 6)))

    @each_family
    def test_answers_come_to_who_has_asked(self, family):
        self.assertEqual(self.away(443, family), "open")
        self.assertEqual(self.away(53, family, "udp"), "open")

    @each_family
    def test_what_nobody_asked_for_does_not(self, family):
        self.assertEqual(self.away(444, family), "timeout")
        self.assertEqual(self.away(53, family, "udp", src=BOX[family], src_port=1800), "open")
        for flags in ("S", "SA", "A"):
            self.send(packets.ethernet(HOST_MAC, PEER_MAC, packets.ip(
                PEER[family], POOL[family], packets.TCP, packets.tcp(
                    PEER[family], POOL[family], 443, 1800, flags))))
        for source, port in ((PEER, 54), (LAST, 53)):
            self.there.call("udp", dst=POOL[family], port=1800, src=source[family], src_port=port,
                            wait=False)
            event = self.expect_event(src=source[family], dst=POOL[family], dst_port=1800,
                                      src_port=port, proto="udp")
            self.assertEqual((event["reason"], event["hook"]), ("no-rule", "xdp"))


class Elsewhere(Routing):
    """Ports of the host that lead to a machine outside."""
    POLICY = (TO_PEER + rule("ingress", "published", both(PEER), ports=[8102])
              + as_published(80))

    @classmethod
    def network(cls):
        cls.nft(ELSEWHERE)

    @each_family
    def test_a_box_gets_out_by_a_published_port_only_where_a_forward_rule_lets_it(self, family):
        self.assertEqual(self.away(8100, family, dst=GATE[family]), "open")
        self.assertEqual(self.away(8101, family, dst=GATE[family]), "timeout")
        event = self.expect_event(src=BOX[family], dst=PEER[family], dst_port=444)
        self.assertEqual((event["reason"], event["hook"], event["direction"]),
                         ("no-rule", "forward", "forward"))

    @each_family
    def test_what_is_published_inside_is_still_an_ingress_matter(self, family):
        self.assertEqual(self.into(8102, family), "open")


class Groups(Routing):
    """The host routes what the box sends to a group."""
    GROUP = {4: "239.1.2.3", 6: "ff1e::1:2:3"}

    @classmethod
    def network(cls):
        for family in (4, 6):
            cls.here.call("route_group", source=BOX[family], group=cls.GROUP[family], come="br0",
                          go="eth0")

    def arrives(self, family, port):
        heard = self.there.call("capture", interface="eth0")
        word = f"to group {port} {family}"
        self.inside.call("send_group", dst=self.GROUP[family], port=port, interface="eth0",
                         text=word, hops=3)
        found = lambda end=False: [f for f in self.there.call("captured", end=end, **heard)["frames"]
                                   if word.encode().hex() in f]
        eventually(found, 1.0)
        return len(found(True))

    @each_family
    def test_it_leaves_by_a_forward_rule_and_not_without_one(self, family):
        self.begin(forward("group", both(BOX), both(self.GROUP), proto="udp", ports=[5000]))
        self.assertEqual(self.arrives(family, 5000), 1)
        self.assertEqual(self.arrives(family, 5001), 0)
        event = self.expect_event(src=BOX[family], dst=self.GROUP[family], dst_port=5001)
        self.assertEqual((event["reason"], event["direction"]), ("no-rule", "forward"))
        self.assertIn(event["hook"], ("forward", "tc"))


if __name__ == "__main__":
    unittest.main()

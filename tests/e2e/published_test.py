# SPDX-License-Identifier: Apache-2.0
"""Ports that the host publishes on a box, where the box's side is guarded as well."""
from forward_test import ASKED, BOX, BOXES, PUBLISH, Routing, as_published
from harness import CUT, FIRST, HOST, NETFILTER_LINKS, PEER, both, each_family, rule

BOTH_SIDES = ("eth0", "br0")


class PublishedBehindAGuard(Routing):
    """XDP at br0 sees the box's answers before conntrack knows them."""

    @classmethod
    def network(cls):
        cls.nft(PUBLISH)
        cls.peer.route(*(f"{BOXES[f]} via {HOST[f]}" for f in (4, 6)))

    @classmethod
    def prepare(cls):
        super().prepare()
        cls.share(ASKED, interfaces=BOTH_SIDES)
        hooks = {(h["hook"], h["iface"]) for h in cls.guard.status()["hooks"]}
        if ("xdp", "br0") not in hooks:
            raise AssertionError(f"br0 is not guarded: {hooks}")

    @each_family
    def test_a_published_port_is_reached_by_whom_an_ingress_rule_lets_in(self, family):
        self.assertEqual(self.into(8088, family), "open")
        self.assertEqual(self.into(5300, family, "udp"), "open")

    @each_family
    def test_and_by_nobody_else(self, family):
        self.assertEqual(self.into(8088, family, src=FIRST[family]), "timeout")
        self.assertEqual(self.into(8089, family), "timeout")
        self.assertEqual(self.into(5400, family, "udp"), "timeout")

    @each_family
    def test_much_goes_both_ways(self, family):
        held = self.there.call("hold", dst=HOST[family], port=8088)
        self.assertEqual(held["result"], "open")
        for _ in range(3):
            self.assertEqual(self.there.result("exchange", handle=held["handle"], size=200000),
                             "open")
        self.there.call("release", handle=held["handle"])

    @each_family
    def test_an_error_about_a_published_port_goes_back(self, family):
        self.assertEqual(self.into(5500, family, "udp", connected=True), "refused")

    @each_family
    def test_the_box_itself_may_open_nothing(self, family):
        self.assertEqual(self.away(443, family), "timeout")
        self.assertEqual(self.away(53, family, "udp"), "timeout")

    @each_family
    def test_who_has_asked_the_published_port_does_not_get_past_it(self, family):
        if not NETFILTER_LINKS:
            self.skipTest("a forward rule opens here what is published")
        self.assertEqual(self.into(5300, family, "udp", src=PEER[family], src_port=4600), "open")
        self.assertEqual(self.toward(53, family, "udp", src_port=4600), "timeout")
        event = self.expect_event(direction="forward", dst=BOX[family], dst_port=53, src_port=4600)
        self.assertEqual((event["reason"], event["hook"]), ("no-rule", "forward"))


class PublishedBehindAGuardReload(Routing):
    @classmethod
    def network(cls):
        cls.nft(PUBLISH)

    @each_family
    def test_a_reload_cuts_what_it_no_longer_allows_and_nothing_else(self, family):
        routed = as_published(80, 81)
        self.begin(rule("ingress", "one", both(PEER), ports=[8088])
                   + rule("ingress", "two", both(PEER), ports=[8089]) + routed,
                   interfaces=BOTH_SIDES)
        held = {p: self.there.call("hold", dst=HOST[family], port=p)["handle"]
                for p in (8088, 8089)}
        self.switch(rule("ingress", "one", both(PEER), ports=[8088]) + routed,
                    interfaces=BOTH_SIDES)
        self.assertEqual(self.there.result("exchange", handle=held[8088]), "open")
        self.assertIn(self.there.result("exchange", handle=held[8089]), CUT)

# SPDX-License-Identifier: Apache-2.0
"""Bans of what is routed: to and from a box behind the host's bridge, both ways, at once."""
import json
import unittest

from forward_test import BOX, BOXES, MASQUERADE, TO_PEER, Routing, forward
from harness import CUT, HOST, LAST, PEER, both, each_family

TO_BOX = forward("in", ["0.0.0.0/0", "::/0"], both(BOXES), ports=[80])


class RoutedBans(Routing):
    """A daemon that all tests share: each lifts what it has banned."""

    @classmethod
    def prepare(cls):
        super().prepare()
        cls.share(TO_PEER + TO_BOX)

    def ask(self, *arguments):
        done = self.guard.call(*arguments, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def setUp(self):
        super().setUp()
        self.addCleanup(self.lift_all)

    def lift_all(self):
        for ban in self.ask("bans")["bans"]:
            self.ask("unban", ban["network"])

    def ban(self, network):
        self.assertTrue(self.ask("ban", network)["banned"])


class Routed(RoutedBans):
    @classmethod
    def network(cls):
        cls.peer.route(*(f"{BOXES[f]} via {HOST[f]}" for f in (4, 6)))

    @each_family
    def test_a_ban_of_a_stranger_cuts_and_shuts_both_ways(self, family):
        held = {"in": (self.there, self.there.call("hold", dst=BOX[family], port=80,
                                                   src=PEER[family])),
                "out": (self.inside, self.inside.call("hold", dst=PEER[family], port=443))}
        for agent, one in held.values():
            self.assertEqual(agent.result("exchange", handle=one["handle"]), "open")
        self.ban(PEER[family])
        for way, (agent, one) in held.items():
            self.assertIn(agent.result("exchange", handle=one["handle"]), CUT, way)
        self.assertEqual(self.toward(80, family), "timeout")
        self.assertEqual(self.away(443, family), "timeout")
        self.assertEqual(self.away(53, family, "udp"), "timeout")
        self.expect_event(reason="banned", direction="forward", src=PEER[family], dst=BOX[family])
        self.expect_event(reason="banned", direction="forward", src=BOX[family], dst=PEER[family])
        # And nobody else.
        self.assertEqual(self.toward(80, family, src=LAST[family]), "open")
        self.lift_all()
        self.assertEqual((self.toward(80, family), self.away(443, family)), ("open", "open"))

    @each_family
    def test_a_ban_of_the_box_shuts_it_off_from_all_and_all_from_it(self, family):
        self.ban(BOX[family])
        self.assertEqual(self.toward(80, family), "timeout")
        self.assertEqual(self.toward(80, family, src=LAST[family]), "timeout")
        self.assertEqual(self.away(443, family), "timeout")
        self.lift_all()
        self.assertEqual((self.toward(80, family), self.away(443, family)), ("open", "open"))


class Masqueraded(RoutedBans):
    """The peer sees the host's address; a ban is of the ends themselves."""

    @classmethod
    def network(cls):
        cls.nft(MASQUERADE)

    @each_family
    def test_a_ban_cuts_what_a_masquerade_hides(self, family):
        held = self.inside.call("hold", dst=PEER[family], port=443)
        self.assertEqual(self.inside.result("exchange", handle=held["handle"]), "open")
        self.ban(PEER[family])
        self.assertIn(self.inside.result("exchange", handle=held["handle"]), CUT)
        self.assertEqual(self.away(443, family), "timeout")
        self.lift_all()
        self.assertEqual(self.away(443, family), "open")

    @each_family
    def test_a_banned_box_opens_nothing(self, family):
        self.ban(BOX[family])
        self.assertEqual(self.away(443, family), "timeout")
        self.assertEqual(self.away(53, family, "udp"), "timeout")


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""Connections that are older than the wall: the policy decides which go on."""
import unittest

from harness import CUT, HOST, PEER, E2e, both, each_family, rule

ALLOWING = (rule("ingress", "web", both(PEER), ports=[80])
            + rule("egress", "https", both(PEER), ports=[443])
            + rule("egress", "dns", both(PEER), proto="udp", ports=[53]))


class Running(E2e):
    @classmethod
    def prepare(cls):
        for port in (80, 81):
            cls.here.call("listen", port=port)
        for port in (443, 444):
            cls.there.call("listen", port=port)
        for port in (53, 54):
            cls.there.call("listen", port=port, proto="udp")

    def connect_all(self, family):
        """{name: (agent, connection)}, all made before the wall and seen to work."""
        made = {"in-80": (self.there, HOST, 80, "tcp"), "in-81": (self.there, HOST, 81, "tcp"),
                "out-443": (self.here, PEER, 443, "tcp"), "out-444": (self.here, PEER, 444, "tcp"),
                "udp-53": (self.here, PEER, 53, "udp"), "udp-54": (self.here, PEER, 54, "udp")}
        held = {}
        for name, (agent, dst, port, proto) in made.items():
            held[name] = agent, agent.call("hold", dst=dst[family], port=port, proto=proto)
            self.assertEqual(held[name][1]["result"], "open", name)
        return held

    def outcomes(self, held):
        return {name: agent.result("exchange", handle=connection["handle"])
                for name, (agent, connection) in held.items()}

    @each_family
    def test_what_the_policy_would_have_let_open_goes_on(self, family):
        self.end()
        held = self.connect_all(family)
        self.begin(ALLOWING)
        for _ in range(3):
            got = self.outcomes(held)
            self.assertEqual((got["in-80"], got["out-443"], got["udp-53"]), ("open",) * 3)

    @each_family
    def test_what_it_would_not_is_cut_and_both_ends_learn(self, family):
        self.end()
        held = self.connect_all(family)
        self.begin(ALLOWING)
        got = self.outcomes(held)
        self.assertIn(got["in-81"], ("reset", "closed"))    # the far end
        self.assertIn(got["out-444"], ("aborted", "reset"))  # the near end
        self.assertIn(got["udp-54"], CUT)

    @each_family
    def test_what_is_cut_is_listed_by_name(self, family):
        self.end()
        held = self.connect_all(family)
        self.begin(ALLOWING)
        said = self.guard.said()
        for name in ("in-81", "out-444"):
            port = held[name][1]["local_port"]
            self.assertIn(str(port), said, f"{name} is not listed")
        for name in ("in-80", "out-443"):
            self.assertNotIn(str(held[name][1]["local_port"]), said, f"{name} is listed")

    @each_family
    def test_keep_connections_spares_them_until_they_end(self, family):
        self.end()
        held = self.connect_all(family)
        self.begin(ALLOWING, "--keep-connections")
        for _ in range(2):
            got = self.outcomes(held)
            self.assertEqual({n: r for n, r in got.items() if not n.startswith("udp")},
                             {n: "open" for n in got if not n.startswith("udp")})
        # What opens now is judged as ever.
        self.assertEqual(self.into(81, family), "timeout")
        self.assertEqual(self.out(444, family), "eperm")

    @each_family
    def test_an_empty_policy_cuts_all(self, family):
        self.end()
        held = self.connect_all(family)
        self.begin("")
        got = self.outcomes(held)
        self.assertEqual([n for n, r in got.items() if r not in CUT], [])


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""No verdict rests on a name: none is taken for an address, and what a resolver answers opens
nothing, whoever answers."""
import socket
import struct
import unittest

from harness import ABOVE, HOST, OUTSIDE, PEER, E2e, both, each_family, eventually, packets, rule

NAME = b"\x03api\x07example\x03com\x00"
RULES = rule("egress", "resolver", both(PEER), proto="udp", ports=[53])


def answer(family):
    """The name has that address, by a record of its kind, and the address has that name."""
    packed = socket.inet_pton(socket.AF_INET if family == 4 else socket.AF_INET6, OUTSIDE[family])
    record = struct.pack(">HHIH", 1 if family == 4 else 28, 1, 86400, len(packed)) + packed
    points = struct.pack(">HHIH", 12, 1, 86400, len(NAME)) + NAME
    return (struct.pack(">HHHHHH", 7, 0x8180, 1, 2, 0, 0) + NAME + struct.pack(">HH", 1, 1)
            + NAME + record + NAME + points)


class Names(E2e):
    @classmethod
    def prepare(cls):
        cls.there.call("listen", port=53, proto="udp")
        cls.there.call("listen", port=443)

    def admitted(self):
        return next(h for h in self.guard.status()["hooks"] if h["hook"] == "xdp")["admitted"]

    def answers(self, family, source, port):
        host = HOST[family]
        self.send(self.frame(packets.ip(source, host, packets.UDP, packets.udp(
            source, host, 53, port, answer(family)))))

    @each_family
    def test_what_a_resolver_answers_opens_no_address(self, family):
        self.begin(RULES)
        self.assertEqual(self.out(53, family, "udp", src_port=4350), "open")
        before = self.admitted()
        self.answers(family, PEER[family], 4350)
        self.assertTrue(eventually(lambda: self.admitted() > before), "the answer did not arrive")
        for port in (53, 80, 443):
            self.assertEqual(self.out(port, family, dst=OUTSIDE[family]), "eperm", port)
        self.assertEqual(self.out(53, family, "udp", dst=OUTSIDE[family]), "eperm")
        self.assertEqual(self.into(443, family, src=OUTSIDE[family]), "timeout")
        self.switch(RULES + rule("egress", "by address", both(OUTSIDE), ports=[443]))
        self.assertEqual(self.out(443, family, dst=OUTSIDE[family]), "open")

    @each_family
    def test_a_resolver_that_no_rule_names_is_neither_asked_nor_heard(self, family):
        self.begin(RULES)
        self.assertEqual(self.out(53, family, "udp", dst=ABOVE[family]), "eperm")
        self.assertEqual(self.out(53, family, "udp", src_port=4351), "open")
        self.answers(family, ABOVE[family], 4351)
        event = self.expect_event(direction="ingress", src=ABOVE[family], dst_port=4351)
        self.assertEqual(event["reason"], "no-rule")

    def test_a_name_in_a_policy_is_an_error_and_not_looked_up(self):
        """localhost is in every file of hosts: who looked it up would find it."""
        for name in ("api.example.com", "localhost", "*.example.com", "com."):
            for kind in "egress", "ingress":
                text = self.policy(rule(kind, "by name", [name], ports=[443]))
                checked = self.guard.call("check", self.guard.write_policy(text, "named.toml"))
                self.assertEqual(checked.returncode, 2, (kind, name))
                self.assertIn(name, checked.stderr)
        text = self.policy(RULES, zones='[zones]\nhub = ["api.example.com"]\n')
        checked = self.guard.call("check", self.guard.write_policy(text, "named.toml"))
        self.assertEqual(checked.returncode, 2, checked.stdout)
        text = self.policy(RULES, zones=f'[zones]\nhub = ["{OUTSIDE[4]}", "{OUTSIDE[6]}"]\n')
        checked = self.guard.call("check", self.guard.write_policy(text, "named.toml"))
        self.assertEqual(checked.returncode, 0, checked.stderr)


if __name__ == "__main__":
    unittest.main()

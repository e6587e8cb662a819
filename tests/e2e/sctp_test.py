# SPDX-License-Identifier: Apache-2.0
"""SCTP by real sockets, where the kernel has it."""
import socket
import unittest

from harness import NOT_OPEN, PEER, E2e, both, each_family, rule

SCTP = 132


class Sctp(E2e):
    POLICY = (rule("ingress", "stream", both(PEER), proto="sctp", ports=[5000])
              + rule("ingress", "not-sctp", both(PEER), proto="tcp", ports=[5002])
              + rule("egress", "stream-out", both(PEER), proto="sctp", ports=[6000])
              + rule("egress", "not-sctp-out", both(PEER), proto="tcp", ports=[6002]))
    missing = None

    @classmethod
    def prepare(cls):
        try:
            socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP).close()
        except OSError as error:
            cls.missing = f"this kernel has no SCTP: {error}"
            return
        for port in (5000, 5001, 5002):
            cls.here.call("listen", port=port, proto="sctp")
        for port in (6000, 6001, 6002):
            cls.there.call("listen", port=port, proto="sctp")

    def setUp(self):
        if self.missing:
            self.skipTest(self.missing)

    @each_family
    def test_an_association_comes_in_where_a_rule_says_so(self, family):
        self.assertEqual(self.into(5000, family, "sctp"), "open")

    @each_family
    def test_none_comes_in_elsewhere(self, family):
        for port in (5001, 5002):
            self.assertEqual(self.into(port, family, "sctp"), "timeout")
            self.expect_event(direction="ingress", src=PEER[family], dst_port=port, proto="sctp",
                              reason="no-rule")

    @each_family
    def test_one_goes_out_where_a_rule_says_so(self, family):
        self.assertEqual(self.out(6000, family, "sctp"), "open")

    @each_family
    def test_none_goes_out_elsewhere(self, family):
        for port in (6001, 6002):
            self.assertIn(self.out(port, family, "sctp"), NOT_OPEN)
            self.expect_event(direction="egress", dst=PEER[family], dst_port=port, proto="sctp",
                              reason="no-rule")


if __name__ == "__main__":
    unittest.main()

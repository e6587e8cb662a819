# SPDX-License-Identifier: Apache-2.0
"""max-connections beside SYN cookies, fast open, rewritten ports and observe mode."""
import unittest

from connections_support import Connecting, afresh, counted
from harness import HOST, PEER, eventually, packets, rule

REWRITE = """
table inet nat {
  chain pre { type nat hook prerouting priority dstnat;
    tcp dport 8000 redirect to :8001
    tcp dport 8002 redirect to :8001
    tcp dport 8004 redirect to :8001
  }
}
"""


class CountedByCookies(Connecting):
    POLICY = counted("api", 8000, 2, 'limit = "1000/hour"\nlimit-total = "20/hour"')

    @classmethod
    def policy(cls, *arguments, **options):
        return super().policy(*arguments, **{**options, "host": 'xdp = "generic"'})

    @classmethod
    def prepare(cls):
        cls.host.run("sysctl", "-qw", "net.ipv4.tcp_syncookies=2")
        cls.here.call("listen", port=8000)

    @afresh
    def test_whose_cookie_came_back_is_counted(self, family):
        def who(i):
            return f"10.77.0.{i}" if family == 4 else f"fd00:77:{i:x}::1"
        self.send(*(self.frame(packets.ip(who(i), HOST[family], packets.TCP, packets.tcp(
            who(i), HOST[family], 20000 + i, 8000))) for i in range(1, 60)))
        before = self.guard.status()["cookies"]
        self.assertGreater(before["sent"], 10)
        self.assertEqual([self.hold(8000, family) for _ in range(3)], ["open"] * 2 + ["timeout"])
        self.expect_event(reason="too-many-connections", src=PEER[family], dst_port=8000)
        self.assertEqual(self.guard.status()["cookies"]["taken"], before["taken"] + 2)
        for handle in self.held:
            self.assertEqual(self.there.result("exchange", handle=handle, size=200000), "open")
        self.let_go()
        self.assertTrue(self.opens_at_last(8000, family))


class CountedFastOpen(Connecting):
    POLICY = counted("api", 8000, 2)

    @classmethod
    def prepare(cls):
        for machine in (cls.host, cls.peer):
            machine.run("sysctl", "-qw", "net.ipv4.tcp_fastopen=3")
        cls.here.call("listen", port=8000)

    def fast(self, family):
        return self.keep(self.there.call("fast", dst=HOST[family], port=8000, timeout=1.0))

    def taken(self):
        """Connections that were made by the data in a SYN."""
        shown = self.host.run("nstat", "-asz", "TcpExtTCPFastOpenPassive").split()
        return int(float(shown[shown.index("TcpExtTCPFastOpenPassive") + 1]))

    @afresh
    def test_a_request_in_the_syn_is_a_connection(self, family):
        self.assertEqual(self.fast(family), "open")  # asks for the cookie
        self.let_go()
        self.assertTrue(eventually(lambda: self.established(8000) == 0))
        before = self.taken()
        self.assertEqual([self.fast(family) for _ in range(2)], ["open"] * 2)
        self.assertEqual(self.taken(), before + 2)
        self.assertNotEqual(self.fast(family), "open")
        self.let_go()
        self.assertTrue(eventually(lambda: self.fast(family) == "open"))
        self.assertNotEqual(self.fast(family), "open")


class CountedElsewhere(Connecting):
    """8000, 8002 and 8004 are redirected; at 8000 somebody listens as well, as docker-proxy does."""

    POLICY = (counted("both", 8000, 2) + counted("only", 8002, 2) + counted("plain", 8003, 2)
              + rule("ingress", "uncounted", "any", ports=[8004]))

    @classmethod
    def prepare(cls):
        cls.host.run("nft", REWRITE)
        for port in (8000, 8001, 8003):
            cls.here.call("listen", port=port)

    @afresh
    def test_what_is_rewritten_is_not_let_in_uncounted(self, family):
        for port in (8000, 8002):
            self.assertEqual(self.hold(port, family), "timeout")
            event = self.expect_event(reason="not-counted", src=PEER[family], dst_port=port)
            self.assertEqual(event["rule"], {8000: "both", 8002: "only"}[port])
        self.assertEqual(self.hold(8003, family), "open")
        self.assertEqual(self.hold(8004, family), "open")  # of a rule that does not count

    def test_a_listener_outside_of_the_guarded_cgroup_is_not_reached_uncounted(self):
        outside = self.host.agent(name="outside")
        self.here.call("unlisten", port=8003)
        try:
            outside.call("listen", port=8003)
            self.assertEqual(self.hold(8003, 4), "timeout")
            self.expect_event(reason="not-counted", src=PEER[4], dst_port=8003)
            outside.call("unlisten", port=8003)
        finally:
            self.here.call("listen", port=8003)
        self.assertEqual(self.hold(8003, 4), "open")


class CountedAndObserved(Connecting):
    @classmethod
    def prepare(cls):
        cls.here.call("listen", port=8000)

    @afresh
    def test_observe_tells_and_lets_in_and_counts_as_enforce_would(self, family):
        self.begin(counted("few", 8000, 2), mode="observe")
        self.assertEqual([self.hold(8000, family) for _ in range(4)], ["open"] * 4)
        self.expect_event(event="would-drop", reason="too-many-connections", src=PEER[family])
        self.switch(counted("few", 8000, 2))
        for handle in self.held:
            self.assertEqual(self.there.result("exchange", handle=handle), "open")
        self.assertEqual(self.hold(8000, family), "timeout")


if __name__ == "__main__":
    unittest.main()

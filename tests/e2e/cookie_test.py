# SPDX-License-Identifier: Apache-2.0
"""SYN cookies from XDP: who proves his address is served while a forged flood goes on."""
import unittest

from cookie_flood import Flooded, limited
from harness import FIRST, HOST, PEER, E2e, each_family, packets

MUCH = 10_000_000


class Cookies(Flooded):
    PORTS = (8000, 8001, 8002, 8003)
    POLICY = (limited("api", 8000, 'limit = "1000/hour"\nlimit-total = "20/hour"')
              + limited("few", 8001, 'limit = "2/hour"\nlimit-total = "10/hour"')
              + limited("off", 8002, 'limit = "1000/hour"\nlimit-total = "10/hour"\n'
                                     'syn-cookies = "off"')
              + limited("calm", 8003, 'limit = "1000/hour"\nlimit-total = "1000/hour"'))

    @each_family
    def test_a_client_moves_ten_megabytes_each_way_while_the_flood_goes_on(self, family):
        self.flood(family, 8000, 60)
        before = self.cookies()
        self.assertGreaterEqual(before[0], 30)
        with self.flooding(family, 8000):
            held = self.there.call("hold", dst=HOST[family], port=8000)
            self.assertEqual(held["result"], "open")
            for _ in range(100):
                self.assertEqual(self.there.result("exchange", handle=held["handle"],
                                                   size=MUCH // 100, timeout=10.0), "open")
        sent, taken = self.cookies()
        self.assertGreater(sent, before[0])
        self.assertEqual(taken, before[1] + 1)
        self.there.call("release", handle=held["handle"])

    @each_family
    def test_what_counts_is_the_acknowledgement_and_not_the_syn(self, family):
        self.flood(family, 8001, 40)
        results = [self.into(8001, family, src=FIRST[family], timeout=0.5) for _ in range(3)]
        self.assertEqual(results, ["open"] * 2 + ["timeout"])
        event = self.expect_event(reason="over-limit", src=FIRST[family], dst_port=8001)
        self.assertEqual(event["rule"], "few")

    @each_family
    def test_an_acknowledgement_without_its_cookie_is_dropped_by_name(self, family):
        self.flood(family, 8000, 60)
        self.send(self.frame(packets.ip(PEER[family], HOST[family], packets.TCP, packets.tcp(
            PEER[family], HOST[family], 4711, 8000, "A", seq=7, ack=99))))
        event = self.expect_event(reason="bad-cookie", src=PEER[family], src_port=4711)
        self.assertEqual((event["rule"], event["hook"]), ("api", "xdp"))

    @each_family
    def test_with_cookies_off_the_flood_shuts_everybody_out(self, family):
        self.flood(family, 8002, 40)
        before = self.cookies()
        self.assertEqual(self.into(8002, family, timeout=0.5), "timeout")
        self.assertEqual(self.cookies(), before)

    @each_family
    def test_without_a_flood_the_stack_answers(self, family):
        before = self.cookies()
        self.assertEqual(self.into(8003, family), "open")
        self.assertEqual(self.cookies(), before)

    @each_family
    def test_a_port_where_nobody_listens_answers_nothing(self, family):
        self.here.call("unlisten", port=8000)
        try:
            self.flood(family, 8000, 60)
            before = self.cookies()
            self.assertEqual(self.into(8000, family, timeout=0.5), "timeout")
            self.assertEqual(self.cookies(), before)
        finally:
            self.here.call("listen", port=8000)


class Generic(Cookies):
    XDP = "generic"


class NotSet(E2e):
    """The kernel gives no cookies at tcp_syncookies = 1 while the listener has room."""

    def test_it_is_said_and_what_is_beyond_the_total_is_dropped(self):
        self.host.run("sysctl", "-qw", "net.ipv4.tcp_syncookies=1", "net.ipv4.tcp_timestamps=1")
        self.here.call("listen", port=8000)
        self.begin(limited("api", 8000, 'limit = "9/hour"\nlimit-total = "2/hour"'))
        self.assertTrue(self.guard.wait_said("net.ipv4.tcp_syncookies is 2, and it is 1"))
        self.assertTrue(self.guard.wait_said("net.ipv4.tcp_timestamps is 2, and it is 1"))
        results = [self.into(8000, 4, timeout=0.4) for _ in range(3)]
        self.assertEqual(results, ["open"] * 2 + ["timeout"])
        self.expect_event(reason="over-limit", dst_port=8000)
        self.assertEqual(self.guard.status()["cookies"], {"sent": 0, "taken": 0})

    def settings(self):
        return self.host.run("sysctl", "-n", "net.ipv4.tcp_syncookies",
                             "net.ipv4.tcp_timestamps").split()

    def test_it_is_set_where_the_policy_says_so_and_put_back_by_a_reload_and_by_down(self):
        self.host.run("sysctl", "-qw", "net.ipv4.tcp_syncookies=1", "net.ipv4.tcp_timestamps=0")
        rules = limited("api", 8000, 'limit = "9/hour"\nlimit-total = "2/hour"')
        self.begin(rules, host='sysctls = "set"')
        self.assertEqual(self.settings(), ["2", "2"])
        self.switch(rules)
        self.assertEqual(self.settings(), ["1", "0"])
        self.switch(rules, host='sysctls = "set"')
        self.guard.kill()
        self.assertEqual(self.settings(), ["2", "2"])
        self.assertEqual(self.guard.down().returncode, 0)
        self.assertEqual(self.settings(), ["1", "0"])


if __name__ == "__main__":
    unittest.main()

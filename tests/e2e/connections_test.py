# SPDX-License-Identifier: Apache-2.0
"""max-connections: so many at once of a source, by the sockets that there are."""
import time
import unittest

from connections_support import Connecting, afresh, counted
from harness import ABOVE, FIRST, HOST, LAST, PEER, eventually, packets, rule

FORGED = {4: "10.2.0.100", 6: "fd00:2:0:7::1"}  # of nobody, until a test gives it to the peer


class Connections(Connecting):
    POLICY = (counted("few", 8000, 3) + counted("wide", 8001, 2, "limit-prefix4 = 24")
              + counted("crowd", 8002, 5) + counted("both", 8003, 2, 'limit = "3/hour"')
              + counted("dual", 8004, 2) + counted("late", 8005, 2) + counted("nobody", 8006, 2)
              + rule("ingress", "other", "any", ports=[8007]))

    @classmethod
    def prepare(cls):
        for port in (8000, 8001, 8002, 8003, 8007):
            cls.here.call("listen", port=port)
        cls.here.call("listen", port=8004, addresses=["::"], dual=True)
        cls.here.call("listen", port=8005, defer=30)

    @afresh
    def test_a_source_has_its_number_and_others_have_theirs(self, family):
        self.assertEqual([self.hold(8000, family, src=FIRST[family]) for _ in range(4)],
                         ["open"] * 3 + ["timeout"])
        event = self.expect_event(reason="too-many-connections", src=FIRST[family], dst_port=8000)
        self.assertEqual((event["rule"], event["direction"]), ("few", "ingress"))
        self.assertEqual(self.hold(8000, family), "open")
        self.assertEqual(self.hold(8007, family, src=FIRST[family]), "open")
        for handle in self.held:
            self.assertEqual(self.there.result("exchange", handle=handle), "open")
        found = next(r for r in self.guard.status()["rules"] if r["name"] == "few")
        self.assertGreaterEqual(found["limited"], 1)
        self.let_go()
        self.assertTrue(self.opens_at_last(8000, family, src=FIRST[family]))
        self.assertEqual(self.hold(8000, family, src=FIRST[family]), "timeout")

    def test_a_source_is_a_prefix(self):
        self.assertEqual([self.hold(8000, 6, src=who[6]) for who in (FIRST, LAST, FIRST, LAST)],
                         ["open"] * 3 + ["timeout"])
        self.assertEqual(self.hold(8000, 6, src=ABOVE[6]), "open")
        self.assertEqual([self.hold(8001, 4, src=who[4]) for who in (FIRST, LAST, ABOVE, PEER)],
                         ["open"] * 2 + ["timeout", "open"])

    @afresh
    def test_a_crowd_that_comes_at_once_is_its_number(self, family):
        for _ in range(5):
            came = self.there.call("crowd", dst=HOST[family], port=8002, number=60, timeout=0.4)
            self.held += came["handles"]
            self.assertEqual(len(came["handles"]), 5, came["counts"])
            self.assertEqual(self.established(8002), 5)
            self.let_all_go()

    @afresh
    def test_what_ends_with_a_reset_or_without_a_word_is_no_more(self, family):
        self.assertEqual([self.hold(8000, family) for _ in range(4)], ["open"] * 3 + ["timeout"])
        self.let_go("abort")
        self.assertTrue(self.opens_at_last(8000, family))
        self.let_go("vanish")
        self.assertEqual(self.hold(8000, family), "timeout")  # this host has not heard of it
        self.host.run("ss", "-K", "( sport = :8000 )")
        self.held.clear()
        self.assertEqual([self.hold(8000, family) for _ in range(4)], ["open"] * 3 + ["timeout"])

    @afresh
    def test_what_a_forger_sends_takes_no_place_of_whose_name_he_bears(self, family):
        who = FORGED[family]
        for flags in "SA":
            self.send(*(self.frame(packets.ip(who, HOST[family], packets.TCP, packets.tcp(
                who, HOST[family], 20000 + i, 8000, flags))) for i in range(100)))
        self.peer.address("eth0", f"{who}/{32 if family == 4 else 128}")
        self.assertEqual([self.hold(8000, family, src=who) for _ in range(4)],
                         ["open"] * 3 + ["timeout"])

    @afresh
    def test_a_limit_of_new_ones_holds_beside_it(self, family):
        self.assertEqual([self.hold(8003, family) for _ in range(3)], ["open"] * 2 + ["timeout"])
        self.expect_event(reason="too-many-connections", src=PEER[family], dst_port=8003)
        self.let_go()
        self.assertTrue(self.opens_at_last(8003, family))
        self.let_go()
        self.assertTrue(eventually(lambda: self.established(8003) == 1))
        self.assertEqual(self.hold(8003, family), "timeout")
        self.expect_event(reason="over-limit", src=PEER[family], dst_port=8003)

    @afresh
    def test_a_listener_of_both_families_counts_either(self, family):
        self.assertEqual([self.hold(8004, family) for _ in range(3)], ["open"] * 2 + ["timeout"])
        self.let_go()
        self.assertTrue(self.opens_at_last(8004, family))

    @afresh
    def test_handshakes_that_the_listener_puts_off_become_no_more_than_the_number(self, family):
        for _ in range(3):
            for _ in range(4):
                self.keep(self.there.call("knock", dst=HOST[family], port=8005, timeout=0.1))
            time.sleep(4.1)  # a place without a socket is free again
        self.assertGreater(len(self.held), 3)
        self.assertEqual(self.established(8005), 0)
        results = [self.there.result("exchange", handle=handle, timeout=0.4)
                   for handle in self.held]
        self.assertEqual(results.count("open"), 2, results)
        self.assertEqual(self.established(8005), 2)

    @afresh
    def test_who_gives_up_before_there_is_a_place_is_forgotten(self, family):
        for pause in (4.1, 0):
            for _ in range(2):
                self.keep(self.there.call("knock", dst=HOST[family], port=8005))
            time.sleep(pause)
        self.assertEqual(self.counted_in("syn-recv", 8005), 4)
        refused = self.refused()
        self.let_go("abort")
        self.assertTrue(eventually(lambda: self.counted_in("syn-recv", 8005) == 3))
        self.assertEqual(self.refused(), refused)

    @afresh
    def test_the_same_ports_again_are_another_connection(self, family):
        for _ in range(3):
            for port in range(30000, 30006):
                self.hold(8000, family, src_port=port)
            self.assertEqual(len(self.held), 3)
            self.let_all_go()

    @afresh
    def test_what_no_socket_of_this_host_answers_is_not_let_in(self, family):
        self.assertEqual(self.into(8006, family, timeout=0.3), "timeout")
        self.expect_event(reason="not-counted", src=PEER[family], dst_port=8006)
        self.assertEqual(self.into(8007, family), "open")


class KeptCounts(Connecting):
    @classmethod
    def prepare(cls):
        cls.here.call("listen", port=8000)

    @afresh
    def test_a_reload_goes_on_counting(self, family):
        self.begin(counted("few", 8000, 3))
        self.assertEqual([self.hold(8000, family) for _ in range(2)], ["open"] * 2)
        self.switch(counted("few", 8000, 3, 'log = "new"'))
        self.assertEqual([self.hold(8000, family) for _ in range(2)], ["open", "timeout"])
        self.switch(counted("few", 8000, 1))
        for handle in self.held:
            self.assertEqual(self.there.result("exchange", handle=handle), "open")
        for _ in range(2):
            self.let_go()
            self.assertEqual(self.hold(8000, family), "timeout")
        self.let_go()
        self.assertTrue(self.opens_at_last(8000, family))

    @afresh
    def test_a_killed_daemon_and_the_next_go_on_counting(self, family):
        self.begin(counted("few", 8000, 3))
        self.assertEqual([self.hold(8000, family) for _ in range(2)], ["open"] * 2)
        self.guard.kill()
        self.assertEqual([self.hold(8000, family) for _ in range(2)], ["open", "timeout"])
        self.let_go()
        self.assertTrue(self.opens_at_last(8000, family))
        self.guard.start(self.file)
        self.assertEqual(self.hold(8000, family), "timeout")
        self.let_go()
        self.assertTrue(self.opens_at_last(8000, family))
        self.assertEqual(self.hold(8000, family), "timeout")

    @afresh
    def test_what_ended_while_the_hook_was_gone_is_counted_no_more(self, family):
        self.begin(counted("few", 8000, 2))
        self.assertEqual([self.hold(8000, family) for _ in range(3)], ["open"] * 2 + ["timeout"])
        self.guard.kill()
        link = f"{self.guard.pins}/v1/links/sock_ops"
        self.host.run("bpftool", "link", "detach", "pinned", link)
        self.let_go()
        self.assertTrue(eventually(lambda: self.established(8000) == 1))
        self.assertEqual(self.hold(8000, family), "timeout")  # nobody has heard
        self.guard.start(self.file)
        self.assertTrue(self.opens_at_last(8000, family))
        self.assertEqual(self.hold(8000, family), "timeout")


if __name__ == "__main__":
    unittest.main()

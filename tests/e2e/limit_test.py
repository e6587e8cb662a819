# SPDX-License-Identifier: Apache-2.0
"""Limits of new connections: by source, beside iptables' recent, and what runs is left alone."""
import ipaddress
import time
import unittest

from harness import (FIRST, HOST, LAST, NET, PEER, E2e, both, each_family, eventually, packets,
                     rule)


def limited(name, port, lines, proto="tcp"):
    return rule("ingress", name, both(NET) + both(PEER), proto=proto, ports=[port]) + lines + "\n"


class Limits(E2e):
    POLICY = (
        limited("few", 8000, 'limit = "3/hour"')
        + limited("again", 8001, 'limit = "40/minute"\nburst = 2')
        + limited("datagrams", 8002, 'limit = "2/hour"', proto="udp")
        + limited("kept", 8003, 'limit = "1/hour"')
        + limited("all", 8004, 'limit = "5/hour"\nlimit-total = "4/hour"')
    )

    @classmethod
    def prepare(cls):
        for port in (8000, 8001, 8003, 8004):
            cls.here.call("listen", port=port)
        cls.here.call("listen", port=8002, proto="udp")

    def admitted(self, name):
        """(let in, refused by the limit) by the rule's counters."""
        found = next(r for r in self.guard.status()["rules"] if r["name"] == name)
        return found["admitted"], found["limited"]

    @each_family
    def test_a_source_gets_its_number_and_others_theirs(self, family):
        results = [self.into(8000, family, src=FIRST[family], timeout=0.3) for _ in range(5)]
        self.assertEqual(results, ["open"] * 3 + ["timeout"] * 2)
        self.assertEqual(self.into(8000, family, timeout=0.3), "open")
        event = self.expect_event(reason="over-limit", src=FIRST[family], dst_port=8000)
        self.assertEqual((event["rule"], event["direction"]), ("few", "ingress"))
        self.assertGreaterEqual(self.admitted("few")[1], 2)

    @each_family
    def test_a_place_comes_back_when_its_time_has_come(self, family):
        self.assertEqual([self.into(8001, family, timeout=0.3) for _ in range(2)], ["open"] * 2)
        begun = time.monotonic()
        self.assertEqual(self.into(8001, family, timeout=0.3), "timeout")
        self.assertTrue(eventually(lambda: self.into(8001, family, timeout=0.3) == "open"))
        self.assertGreater(time.monotonic() - begun, 1.0)  # one every 1.5 s

    @each_family
    def test_datagrams_of_one_conversation_are_one(self, family):
        def send(source_port):
            return self.into(8002, family, "udp", src_port=source_port, timeout=0.4)
        self.assertEqual([send(5001), send(5001), send(5002), send(5001)], ["open"] * 4)
        self.assertEqual(send(5003), "timeout")
        self.assertEqual(send(5001), "open")

    @each_family
    def test_what_runs_is_never_limited(self, family):
        handle = self.there.call("hold", dst=HOST[family], port=8003)["handle"]
        self.assertEqual(self.into(8003, family, timeout=0.3), "timeout")
        for _ in range(20):
            self.assertEqual(self.there.result("exchange", handle=handle, timeout=5.0), "open")

    def test_the_total_counts_all_sources(self):
        results = [self.into(8004, family, src=who[family], timeout=0.3)
                   for who in (FIRST, LAST, PEER) for family in (4, 6)]
        self.assertEqual(results, ["open"] * 4 + ["timeout"] * 2)


TOLD = limited("few", 8000, 'limit = "1/hour"') + limited("free", 8001, 'limit = "99/hour"')


def see_told(test, family, kind):
    address = FIRST[family]
    network = address if family == 4 else str(ipaddress.ip_network(f"{address}/64", False))
    test.assertEqual(test.into(8001, family, src=address), "open")
    for _ in range(3):
        test.into(8000, family, src=address, timeout=0.3)
    test.expect_event(event=kind, reason="over-limit", src=address, rule="few")
    begins = test.expect_event(event="limit", state="begins", src=address)
    test.assertEqual((begins["network"], begins["rule"]), (network, "few"))
    test.assertNotIn("count", begins)
    test.assertEqual(begins.get("detail"),
                     "observed only, nothing is refused" if kind == "would-drop" else None)
    ends = test.tail.wait(25.0, event="limit", state="ends", src=address)
    test.assertIsNotNone(ends)
    test.assertEqual((ends["network"], ends["rule"]), (network, "few"))
    test.assertGreaterEqual(ends["count"], 2)
    for state in ("begins", "ends"):
        test.assertEqual(len(test.tail.find(event="limit", state=state, src=address)), 1)


class Told(E2e):
    """A source begins and ceases to be limited, once each, however often it is refused."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.share(TOLD)

    @classmethod
    def prepare(cls):
        for port in (8000, 8001):
            cls.here.call("listen", port=port)

    @each_family
    def test_who_is_refused_begins_and_ceases(self, family):
        see_told(self, family, "drop")


class ToldObserved(E2e):
    """Where nothing is dropped, that somebody would be limited is told as such."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.share(TOLD, mode="observe")

    prepare = classmethod(Told.prepare.__func__)

    @each_family
    def test_who_would_be_refused_begins_and_ceases(self, family):
        see_told(self, family, "would-drop")


class Pings(E2e):
    """Of ICMP each id is a conversation; every ping here has one of its own."""

    POLICY = ('[essentials]\nping = "none"\n' + rule("ingress", "ping", both(NET) + both(PEER),
                                                     proto="icmp") + 'limit = "2/hour"\n')

    @each_family
    def test_a_source_pings_as_often_as_it_may_and_others_too(self, family):
        def ping(src):
            return self.there.result("ping", dst=HOST[family], src=src, timeout=0.4)
        self.assertEqual([ping(FIRST[family]) for _ in range(3)], ["open", "open", "timeout"])
        self.assertEqual(ping(PEER[family]), "open")
        self.expect_event(reason="over-limit", src=FIRST[family], rule="ping")


WINDOW = 4  # seconds
NUMBER = 5
RECENT = {4: "iptables-legacy", 6: "ip6tables-legacy"}
TWIN = {4: "10.9.0.1", 6: "fd00:9::1"}
TWIN_PEER = {4: "10.9.0.2", 6: "fd00:9::2"}


def syn(src, dst, src_port):
    return packets.ip(src, dst, packets.TCP, packets.tcp(src, dst, src_port, 8000))


class BesideRecent(E2e):
    """limit-window against iptables' recent: the same SYNs, at the same moments, to both."""

    POLICY = limited("window", 8000, f'limit = "{NUMBER}/{WINDOW}s"\nlimit-window = true')

    @classmethod
    def prepare(cls):
        cls.twin = cls.lab.host("twin")
        cls.lab.cable(cls.twin, "eth0", cls.peer, "eth9")
        cls.twin.address("eth0", "10.9.0.1/24", "fd00:9::1/64")
        cls.peer.address("eth9", "10.9.0.2/24", "fd00:9::2/64")
        for tool in RECENT:
            for rule_of in (
                    f"-m recent --name w --rcheck --seconds {WINDOW} --hitcount {NUMBER} -j DROP",
                    "-m recent --name w --set -j ACCEPT"):
                cls.twin.run(RECENT[tool], "-A", "INPUT", "-p", "tcp", "--syn", *rule_of.split())

    def let_in(self, family):
        """(by the rule's limit, by the real one), so far."""
        text = self.twin.run(RECENT[family], "-L", "INPUT", "-n", "-v", "-x")
        accepted = next(line for line in text.splitlines() if " recent: SET " in line)
        ours = next(r for r in self.guard.status()["rules"] if r["name"] == "window")
        return ours["admitted"], int(accepted.split()[0])

    def volley(self, family, count):
        """SYNs to both at once; how many either let in."""
        before = self.let_in(family)
        for _ in range(count):
            port = next(self.ports)
            self.send(self.frame(syn(PEER[family], HOST[family], port)))
            self.send(packets.ethernet(self.twin_mac, self.peer_mac,
                                       syn(TWIN_PEER[family], TWIN[family], port)),
                      interface="eth9")
        after = self.let_in(family)
        return after[0] - before[0], after[1] - before[1]

    ports = iter(range(20000, 60000))

    @each_family
    def test_no_window_has_more_and_both_agree_where_it_is_clear(self, family):
        self.twin_mac = self.twin.ip_json("link", "show", "eth0")[0]["address"]
        self.peer_mac = self.peer.ip_json("link", "show", "eth9")[0]["address"]
        begun = time.monotonic()
        taken = []  # (moment it began, ours, the real one's, moment it was over)

        def at(moment, count):
            time.sleep(max(0.0, begun + moment - time.monotonic()))
            start = time.monotonic() - begun
            taken.append((start, *self.volley(family, count), time.monotonic() - begun))
            return taken[-1][1:3]
        self.assertEqual(at(0.0, NUMBER + 3), (NUMBER, NUMBER))
        self.assertEqual(at(1.5, 4), (0, 0))
        late = at(WINDOW + WINDOW / 15 + 0.9, NUMBER + 3)  # a fifteenth late at most
        self.assertEqual(late, (NUMBER, NUMBER))
        for step in range(10):
            at(2 * WINDOW + step * 0.7, 2)
        for which in (1, 2):
            for start, _, _, over in taken:  # surely within one window, however slow this is
                within = sum(row[which] for row in taken if over - WINDOW < row[0] <= start)
                self.assertLessEqual(within, NUMBER, taken)


class Reload(E2e):
    """A reload forgets nobody who waits, and keeps nobody waiting for a limit that is gone."""

    def begin_with(self, limit):
        self.begin(limited("api", 8000, f'limit = "{limit}"') if limit else
                   rule("ingress", "api", both(PEER), ports=[8000]))

    @classmethod
    def prepare(cls):
        cls.here.call("listen", port=8000)

    @each_family
    def test_a_source_at_its_limit_stays_there(self, family):
        self.begin_with("2/hour")
        results = [self.into(8000, family, timeout=0.3) for _ in range(3)]
        self.assertEqual(results, ["open"] * 2 + ["timeout"])
        self.switch(limited("api", 8000, 'limit = "2/hour"\nlog = "new"'))
        self.assertEqual(self.into(8000, family, timeout=0.3), "timeout")
        self.switch(limited("api", 8000, 'limit = "100/second"'))
        self.assertEqual(self.into(8000, family), "open")


if __name__ == "__main__":
    unittest.main()

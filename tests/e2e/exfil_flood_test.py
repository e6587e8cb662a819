# SPDX-License-Identifier: Apache-2.0
"""A flood from outside costs no word about what tries to leave."""
import threading
import time
import unittest

from harness import HOST, PEER, E2e, both, eventually, packets, rule

ATTEMPTS = 6


class ExfilUnderFlood(E2e):
    POLICY = rule("egress", "web", both(PEER), ports=[443]) + '[exfil]\ninside = ["127.0.0.0/8"]\n'

    def flood(self, family, ended):
        """As fast as a sender can, from a source of its own each."""
        here = ("10.9.0.0", HOST[4]) if family == 4 else ("fd00:1::9:0:0", HOST[6])
        datagram = packets.udp(*here, 40000, 53)
        if family == 4:
            frame = self.frame(packets.ipv4(*here, packets.UDP, datagram, ident=0))
            places = {"low": 14 + 14, "high": 14 + 20 + 2, "balance": [14 + 4]}
        else:
            frame = self.frame(packets.ipv6(*here, packets.UDP, datagram))
            places = {"low": 14 + 22, "high": 14 + 20}
        agent = self.peer.agent()
        number = 0
        while not ended.is_set():
            agent.call("flood", interface="eth0", frame=frame.hex(), count=20_000, first=number,
                       timeout=60.0, **places)
            number += 20_000

    def test_each_attempt_a_second_is_told_at_once(self):
        tail = self.guard.tail("--exfil")
        self.addCleanup(tail.close)
        # Served, once it tells of an attempt of ours.
        self.assertTrue(eventually(lambda: self.out(next(self.markers), 4) and tail.wait(0.2)))
        before_it = len(self.guard.events(exfil=True))
        ended = threading.Event()
        floods = [threading.Thread(target=self.flood, args=(family, ended)) for family in (4, 6)]
        before = self.guard.status()
        begun = time.monotonic()
        for thread in floods:
            thread.start()
        self.addCleanup(lambda: [thread.join() for thread in floods])
        self.addCleanup(ended.set)
        delays = []
        for attempt in range(ATTEMPTS):
            family, port = (4, 6)[attempt % 2], 7100 + attempt
            time.sleep(1.0)
            tried = time.monotonic()
            self.assertEqual(self.out(port, family), "eperm")
            event = tail.wait(30.0, direction="egress", dst=PEER[family], dst_port=port, exfil=True)
            delays.append(time.monotonic() - tried)
            self.assertIsNotNone(event, f"attempt {attempt} was not told")
            self.assertEqual(event.get("repeats", 1), 1)
        ended.set()
        took = time.monotonic() - begun
        after = self.guard.status()
        dropped = sum(after["reasons"].values()) - sum(before["reasons"].values())
        print(f"{dropped / took:.0f} drops a second; an attempt was told within "
              + ", ".join(f"{1000 * delay:.0f}" for delay in delays) + " ms of being made")
        self.assertGreater(dropped, 20_000, "that was no flood")
        self.assertEqual(len(self.guard.events(exfil=True)), before_it + ATTEMPTS)  # in the log too
        # What the flood cost is its own, and counted.
        self.assertGreater(after["events"]["lost"], before["events"]["lost"])


if __name__ == "__main__":
    unittest.main()

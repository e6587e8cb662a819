# SPDX-License-Identifier: Apache-2.0
"""The daemon under a flood of drops: what it holds is bounded, what it could not keep is
told and counted, and it answers."""
import collections
import json
import os
import signal
import socket
import time
import unittest

from harness import FAMILIES, HOST, E2e, eventually, packets, rule

LONG = os.environ.get("SP_LONG") == "1"
EVERYTHING = "[events]\nper-second = 1000000\nrepeat = \"15m\"\n"
AT_ONCE = 4000   # the ring takes as many until it is drained
THINGS = 65536   # that the daemon tells apart at once (src/event/fold.h)
# A thing costs a node of the list and one of the index, about 250 bytes, and the latest
# event once it has come again, about 600: twice that for the allocator.
FOLD_KB = THINGS * 2 * 850 // 1024
READER_KB = 3 * 1024  # 1 MiB that waits for a reader, and what each line costs beside its text


class Flooded(E2e):
    """Strangers, and what is asked of the daemon then."""

    def strangers(self, family, count, first):
        """That many datagrams, each of a source or to a port of its own."""
        here = ("10.9.0.0", HOST[4]) if family == 4 else ("fd00:1::9:0:0", HOST[6])
        datagram = packets.udp(*here, 40000, 0)
        if family == 4:
            frame = self.frame(packets.ipv4(*here, packets.UDP, datagram, ident=0))
            places = {"low": 14 + 14, "high": 14 + 20 + 2, "balance": [14 + 4]}
        else:
            frame = self.frame(packets.ipv6(*here, packets.UDP, datagram))
            places = {"low": 14 + 22, "high": 14 + 20}
        self.there.call("flood", interface="eth0", frame=frame.hex(), count=count, first=first,
                        timeout=120.0, **places)

    def resident(self):
        with open(f"/proc/{self.guard.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    def settled(self):
        """The ring is empty: what was sent, held and lost no longer grows, and is told."""
        self.guard.wait_status(lambda s: s["events"] == self.guard.status()["events"])
        return self.guard.status()

    def assert_told_what_it_missed(self, reader):
        """What it was sent until then has no gap; then it is told how much it was not."""
        reader.settimeout(10.0)
        numbers, lost = [], 0
        with reader.makefile("rb") as lines:
            for event in map(json.loads, lines):
                if (event.get("event"), event.get("reason")) == ("lost", "slow-reader"):
                    lost = event["count"]
                    break
                if "seq" in event:
                    numbers.append(event["seq"])
        self.assertGreater(lost, 100)
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))

    def assert_all_told(self):
        """Ends the daemon. Each drop that was counted is in a line of the log, or in a line
        about what was lost, whose counts by reason are returned."""
        self.wait_for_the_last()
        status = self.guard.status()
        self.assertEqual(self.guard.stop(), 0)
        self.assertEqual(sum(status["reasons"].values()),
                         status["events"]["sent"] + status["events"]["lost"])
        told, lost, seq = 0, collections.Counter(), 0
        older = [f"{self.guard.events_file}.{n}" for n in (5, 4, 3, 2, 1)]
        for path in filter(os.path.exists, older + [self.guard.events_file]):
            with open(path, encoding="utf-8") as lines:
                for event in map(json.loads, lines):
                    self.assertEqual(event["seq"], seq + 1, "a gap, or the log is too short")
                    seq = event["seq"]
                    if event["event"] == "drop":
                        told += event.get("repeats", 1)
                    elif event["event"] == "lost":
                        lost[event["reason"]] += event["count"]
        print(f"{told} told in {seq} lines, {dict(lost)} lost")
        self.assertEqual((told, sum(lost.values())),
                         (status["events"]["sent"], status["events"]["lost"]))
        return lost

    def wait_for_the_last(self):
        """Nothing comes any more: stray packets of the stack's own are counted too."""
        last = None
        while (now := self.guard.status()["reasons"]) != last:
            last = now
            time.sleep(0.3)

    def reader(self):
        """One that asks for every event and does not read."""
        reader = socket.socket(socket.AF_UNIX)
        self.addCleanup(reader.close)
        reader.connect(os.path.join(self.guard.directory, "run", "control.sock"))
        reader.sendall(b'{"cmd":"tail"}\n')
        return reader


class Memory(Flooded):
    SOURCES = 1_000_000 if LONG else 30_000

    def setUp(self):
        super().setUp()
        # A freed byte that ASan keeps for a while is not growth.
        self.guard.environment["ASAN_OPTIONS"] = (
            os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1").lstrip(":")

    def sent(self):
        return self.guard.status()["events"]["sent"]

    def flood_until(self, wanted, first):
        """Drops of both families, no two alike, until so many more events have reached the
        ring; where the next ones begin."""
        until, wanted = time.monotonic() + (900.0 if LONG else 60.0), self.sent() + wanted
        while self.sent() < wanted:
            self.assertLess(time.monotonic(), until, "too few events came through")
            for family in FAMILIES * 3:
                self.strangers(family, AT_ONCE, first)
                first += AT_ONCE
        return first

    def test_memory_is_bounded_whoever_listens_and_each_drop_is_told_or_counted_as_lost(self):
        self.begin(EVERYTHING)
        self.tail.close()
        empty = self.resident()
        first = self.flood_until(THINGS, 0) # as many as are told apart at once
        if LONG: # and each of them again, so that it has a count
            while self.guard.status()["events"]["folded"] < THINGS:
                self.flood_until(THINGS, 0)
        full = self.resident()
        print(f"{empty} kB, and {full - empty} kB more for {THINGS} things")
        self.assertLess(full - empty, FOLD_KB, "more than the things it tells apart cost")
        deaf = None
        for who, comes in (("nobody", lambda: None), ("one that reads", self.listen_in),
                           ("one that does not", self.reader)):
            begun, deaf = time.monotonic(), comes()
            first = self.flood_until(self.SOURCES // 3, first)
            grown = self.resident() - full
            print(f"{who} listens: {grown} kB more after {self.SOURCES // 3} further drops "
                  f"in {time.monotonic() - begun:.0f} s")
            self.assertLess(grown, 4 * 1024 + 2 * READER_KB, who)
            self.assertEqual(self.guard.status()["state"], "protected", who)
        self.assert_told_what_it_missed(deaf)
        self.assert_all_told()


class Accounts(Flooded):
    def test_what_the_ring_or_the_rate_did_not_take_is_told_once_it_can_be(self):
        self.begin(EVERYTHING)
        self.guard.process.send_signal(signal.SIGSTOP)
        self.addCleanup(self.guard.process.send_signal, signal.SIGCONT)
        for family in FAMILIES:
            self.strangers(family, 3 * AT_ONCE, 0)
        self.guard.process.send_signal(signal.SIGCONT)
        self.assertTrue(eventually(lambda: self.guard.events(event="lost", reason="ring-full")))
        self.assertEqual(self.guard.events(event="lost", reason="over-rate"), [])
        self.switch("[events]\nper-second = 10\n")
        for family in FAMILIES:
            self.strangers(family, AT_ONCE, 0)
        # Ended at once, while the last loss has not been told yet.
        lost = self.assert_all_told()
        self.assertEqual(set(lost), {"ring-full", "over-rate"})
        self.assertGreater(min(lost.values()), AT_ONCE)


class Answers(Flooded):
    def test_a_hundred_readers_that_do_not_read_hold_nobody_up(self):
        self.begin(EVERYTHING)
        before = self.resident()
        readers = [self.reader() for _ in range(100)]
        self.strangers(6, 12_000, 0)
        status = self.settled()
        self.assertEqual(status["state"], "protected")
        self.assertLess(self.resident() - before, 200 * 1024)  # a MiB a reader, and its copy
        # Its own tail, which reads, is still served; and a new one.
        self.listen_in()
        self.into(4711, 4, op="udp", wait=False)
        self.expect_event(dst_port=4711)
        # Those who did not read are told what they missed.
        told = 0
        for reader in readers:
            reader.settimeout(5.0)
            data = b""
            try:
                while b'"slow-reader"' not in data:
                    chunk = reader.recv(1 << 20)
                    if not chunk:
                        break
                    data = data[-4096:] + chunk
                else:
                    told += 1
            except socket.timeout:
                pass
            self.assertIn(b'"event"', data)
        self.assertGreater(told, 90, "slow readers are not told")

    def test_counters_never_go_back_under_a_flood(self):
        self.begin(rule("ingress", "web", "any", ports=[80]))
        last = self.guard.status()
        for number in range(6):
            self.strangers(6, 5_000, number * 5_000)
            now = self.guard.status()
            for reason, count in last["reasons"].items():
                self.assertGreaterEqual(now["reasons"].get(reason, 0), count)
            for old, new in zip(last["hooks"], now["hooks"]):
                self.assertGreaterEqual((new["admitted"], new["dropped"]),
                                        (old["admitted"], old["dropped"]))
            lost_by = last["events"].pop("lost_by")
            for key, count in (*last["events"].items(), *lost_by.items()):
                again = now["events"]["lost_by"] if key in lost_by else now["events"]
                self.assertGreaterEqual(again[key], count, key)
            last = now
        self.assertEqual(sum(last["reasons"].values()),
                         sum(hook["dropped"] for hook in last["hooks"]))


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""Floods: what strangers and programs can fill, and what goes on meanwhile."""
import json
import os
import socket
import struct
import time
import unittest

from harness import FAMILIES, HOST, PEER, E2e, each_family, eventually, packets, rule

LONG = os.environ.get("SP_LONG") == "1"
FLOOD = 20000
STRANGER = {4: "10.9.0.0", 6: "fd00:1:0:9::"}  # the peer routes nothing back to there
RULES = (rule("ingress", "web", "any", ports=[80])
         + rule("ingress", "echo", "any", proto="udp", ports=[7000])
         + rule("egress", "out", "any", ports=[443])
         + rule("egress", "out-udp", "any", proto="udp", ports=["20000-30000"]))


class Flood(E2e):
    @classmethod
    def prepare(cls):
        cls.here.call("listen", port=80)
        cls.here.call("listen", port=7000, proto="udp")
        cls.there.call("listen", port=443)
        # Answers to strangers leave: the peer is where they go, and takes them in.
        cls.host.ip("neigh replace 10.1.0.2 lladdr 02:00:00:00:00:02 dev eth0",
                    "neigh replace fd00:1::2 lladdr 02:00:00:00:00:02 dev eth0")

    def flood(self, family, packet, count=FLOOD):
        """From `count` sources, their last 16 bits a number, with right checksums: so that
        the stack, and whoever listens, answers."""
        transport = 14 + (20 if family == 4 else 40)
        # What takes it up: the header's identification; the sequence number or the payload.
        balance = [transport + (6 if packet[9 if family == 4 else 6] == packets.TCP else 8)]
        if family == 4:
            balance.append(14 + 4)
        self.assertEqual(self.there.result("flood", interface="eth0",
                                           frame=self.frame(packet).hex(), count=count,
                                           low=14 + (14 if family == 4 else 22), balance=balance,
                                           timeout=60.0), "sent")

    def packet(self, family, proto, payload):
        if family == 4:
            return packets.ipv4(STRANGER[4], HOST[4], proto, payload, ident=0)
        return packets.ipv6(STRANGER[6], HOST[6], proto, payload)

    def syn(self, family):
        return self.packet(family, packets.TCP, packets.tcp(
            STRANGER[family], HOST[family], 40000, 80, seq=0))

    def datagram(self, family, port):
        return self.packet(family, packets.UDP, packets.udp(
            STRANGER[family], HOST[family], 40000, port, bytes(16)))

    def admitted(self):
        return next(h for h in self.guard.status()["hooks"] if h["hook"] == "xdp")["admitted"]

    @each_family
    def test_a_flood_of_openings_from_forged_sources_makes_no_flow(self, family):
        self.begin(RULES)
        held = self.there.call("hold", dst=HOST[family], port=80)
        before, came = self.guard.status()["flows"]["entries"], self.admitted()
        self.flood(family, self.syn(family))
        # Those that arrive were admitted: they are the stack's to bear, with its cookies.
        self.assertTrue(eventually(lambda: self.admitted() > came + FLOOD // 2))
        self.assertLess(self.guard.status()["flows"]["entries"], before + 20)
        self.assertEqual(self.there.result("exchange", handle=held["handle"]), "open")
        self.assertEqual(self.into(80, family, timeout=5.0), "open")

    @each_family
    def test_a_flood_of_datagrams_to_an_open_port_does_not_shut_the_way_out(self, family):
        """The service answers each, and the table is full of that: this host's own
        connections and its askers' go on."""
        self.begin(RULES + "[flows]\nmax = 1024\n")
        held = [self.there.call("hold", dst=HOST[family], port=80),
                self.there.call("hold", dst=HOST[family], port=7000, proto="udp")]
        self.flood(family, self.datagram(family, 7000))
        self.assertLessEqual(self.guard.status()["flows"]["entries"], 1024)
        for _ in range(3):
            self.assertEqual(self.out(443, family), "open")
        self.assertEqual(self.into(80, family), "open")
        self.assertEqual(self.into(7000, family, op="udp"), "open")
        for one in held:
            self.assertEqual(self.there.result("exchange", handle=one["handle"]), "open")
        self.assertNotIn("flow-full", self.guard.status()["reasons"])

    @each_family
    def test_a_flood_of_datagrams_to_a_port_where_nobody_listens_makes_no_flow(self, family):
        self.begin(RULES + rule("ingress", "quiet", "any", proto="udp", ports=[7001]))
        before = self.guard.status()["flows"]["entries"]
        self.flood(family, self.datagram(family, 7001))
        self.assertLess(self.guard.status()["flows"]["entries"], before + 20)

    @each_family
    def test_a_program_that_fills_the_table_is_refused_by_name_and_connections_go_on(self, family):
        self.begin(RULES + "[flows]\nmax = 1024\n")
        held = [(agent, agent.call("hold", dst=dst[family], port=port)["handle"])
                for agent, dst, port in ((self.there, HOST, 80), (self.here, PEER, 443))]
        sent = self.here.call("scatter", dst=PEER[family], ports=[20000, 30000], timeout=30.0)
        self.assertGreater(sent["sent"], 900)
        status = self.guard.wait_status(lambda s: s["reasons"].get("flow-full", 0) > 1000)
        self.assertGreater(status["reasons"].get("flow-full", 0), 1000)
        self.assertGreater(status["flows"]["refused"], 1000)
        self.assertLessEqual(status["flows"]["entries"], 1024)
        self.expect_event(reason="flow-full", direction="egress")
        for agent, handle in held:
            self.assertEqual(agent.result("exchange", handle=handle), "open")
        # What comes in has its socket or its rule; no room for an entry refuses nothing.
        self.assertEqual(self.into(7000, family, op="udp"), "open")
        self.assertEqual(self.into(80, family), "open")

    @each_family
    def test_a_connection_whose_entry_is_gone_readmits_itself(self, family):
        """As after an eviction: the next packet either way finds rule and socket."""
        self.begin(RULES + "[flows]\nmax = 1024\n")
        held = [(agent, agent.call("hold", dst=dst[family], port=port)["handle"])
                for agent, dst, port in ((self.there, HOST, 80), (self.here, PEER, 443))]
        self.forget_flows()
        for agent, handle in held + held[::-1]:
            self.assertEqual(agent.result("exchange", handle=handle), "open")
        reasons = self.guard.status()["reasons"]
        self.assertEqual((reasons.get("no-flow", 0), reasons.get("cut", 0)), (0, 0))

    def forget_flows(self):
        """Zero in every set of the table."""
        table = os.path.join(self.guard.pins, "v1/maps/sp_flows")
        shown = json.loads(self.host.run("bpftool", "-j", "map", "show", "pinned", table))
        script = os.path.join(self.guard.directory, "forget")
        zero = " ".join(["0"] * shown["bytes_value"])
        with open(script, "w", encoding="ascii") as file:
            for number in range(shown["max_entries"]):
                key = " ".join(str(b) for b in struct.pack("=I", number))
                file.write(f"map update pinned {table} key {key} value {zero}\n")
        self.host.run("bpftool", "batch", "file", script, timeout=60.0)


class Daemon(E2e):
    """The daemon under a flood: what it holds is bounded, and it answers."""

    SOURCES = 1_000_000 if LONG else 60_000
    AT_ONCE = 4000  # the ring takes as many until it is drained

    def drops(self, count, first):
        """That many drops, each of a source of its own."""
        frame = self.frame(packets.ipv6("fd00:1::9:0:0", HOST[6], packets.UDP, packets.udp(
            "fd00:1::9:0:0", HOST[6], 40000, 9)))
        self.there.call("flood", interface="eth0", frame=frame.hex(), count=count,
                        low=14 + 22, high=14 + 20, first=first, timeout=120.0)

    def resident(self):
        with open(f"/proc/{self.guard.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    def settled(self):
        """The ring is empty: what was sent, held and lost no longer grows, and is told."""
        self.guard.wait_status(lambda s: s["events"] == self.guard.status()["events"])
        return self.guard.status()

    def flood_until(self, wanted, first):
        """Drops, each of another source, until so many events have reached the ring; how
        many sources that took."""
        until = time.monotonic() + (600.0 if LONG else 40.0)
        while self.guard.status()["events"]["sent"] < wanted:
            self.assertLess(time.monotonic(), until, "too few events came through")
            for _ in range(5):
                self.drops(self.AT_ONCE, first)
                first += self.AT_ONCE
        return first

    def test_memory_does_not_grow_with_the_number_of_sources(self):
        # A freed byte that ASan keeps for a while is not growth.
        self.guard.environment["ASAN_OPTIONS"] = (
            os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1").lstrip(":")
        self.begin("[events]\nper-second = 1000000\nrepeat = \"60s\"\n")
        sent = self.flood_until(70_000, 0)  # more than are told apart at once
        before = self.resident()
        self.flood_until(70_000 + self.SOURCES, sent)
        grown = self.resident() - before
        print(f"{before} kB, and {grown} kB more after {self.SOURCES} further sources")
        self.assertLess(grown, 16 * 1024, "the daemon grows with what strangers send")
        self.assertEqual(self.guard.status()["state"], "protected")

    def test_a_hundred_readers_that_do_not_read_hold_nobody_up(self):
        self.begin("[events]\nper-second = 1000000\nrepeat = \"60s\"\n")
        path = os.path.join(self.guard.directory, "run", "control.sock")
        before, readers = self.resident(), []
        for _ in range(100):
            reader = socket.socket(socket.AF_UNIX)
            self.addCleanup(reader.close)
            reader.connect(path)
            reader.sendall(b'{"cmd":"tail"}\n')
            readers.append(reader)
        self.drops(30_000, 0)
        status = self.settled()
        self.assertEqual(status["state"], "protected")
        self.assertLess(self.resident() - before, 200 * 1024)  # a MiB a reader, and its copy
        # Its own tail, which reads, is still served; and a new one.
        self.listen_in()
        self.into(4711, 4, op="udp", wait=False)
        self.expect_event(dst_port=4711)
        # Those who did not read were told so, or have all that fits.
        cut = 0
        for reader in readers:
            reader.settimeout(5.0)
            data = b""
            try:
                while chunk := reader.recv(1 << 20):
                    data = data[-4096:] + chunk
                cut += 1
            except (socket.timeout, ConnectionError):
                pass
            self.assertIn(b'"event"', data)
        self.assertGreater(cut, 90, "slow readers are not cut off")

    def test_counters_never_go_back_under_a_flood(self):
        self.begin(rule("ingress", "web", "any", ports=[80]))
        last = self.guard.status()
        for number in range(6):
            self.drops(5_000, number * 5_000)
            now = self.guard.status()
            for reason, count in last["reasons"].items():
                self.assertGreaterEqual(now["reasons"].get(reason, 0), count)
            for old, new in zip(last["hooks"], now["hooks"]):
                self.assertGreaterEqual((new["admitted"], new["dropped"]),
                                        (old["admitted"], old["dropped"]))
            for key, count in last["events"].items():
                self.assertGreaterEqual(now["events"][key], count, key)
            last = now
        self.assertEqual(sum(last["reasons"].values()),
                         sum(hook["dropped"] for hook in last["hooks"]))


if __name__ == "__main__":
    unittest.main()

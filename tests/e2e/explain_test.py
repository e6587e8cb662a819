# SPDX-License-Identifier: Apache-2.0
"""`explain`: what it says is what a packet then meets, and asking changes nothing."""
import os
import time
import unittest

from explain_support import Explains, capture, of_cgroups, question, standing_cgroups
from harness import (FAMILIES, FIRST, HOST, PEER, both, each_family, eventually, packets, rule)

RULES = (
    rule("ingress", "web", "any", ports=[80])
    + rule("ingress", "few", "any", ports=[8000]) + 'limit = "2/hour"\n'
    + rule("ingress", "telnet", "any", ports=[23])
    + rule("ingress", "dns", "any", proto="udp", ports=[53])
    + rule("deny", "no-telnet", "any", ports=[23], proto=None, direction="ingress")
    + rule("egress", "https", both(PEER), ports=[443])
    + rule("egress", "postgres", both(PEER), ports=[5432], unit="rag.service")
    + rule("egress", "by-user", both(PEER), ports=[5433], user=4711)
)
SOMEBODY = {4: "10.1.0.77", 6: "fd00:1::77"}


class Verdicts(Explains):
    POLICY = RULES

    @classmethod
    def prepare(cls):
        for port in (80, 23, 8000, 81):
            cls.here.call("listen", port=port)
        cls.here.call("listen", port=53, proto="udp")
        for port in (443, 444, 5432, 5433):
            cls.there.call("listen", port=port)
        cls.rag = cls.unit_agent("rag")
        cls.user = cls.unit_agent("someone", "user", uid=4711)

    @each_family
    def test_openings_from_outside(self, family):
        for port, verdict in ((80, ("pass", None)), (81, ("drop", "no-rule")),
                              (23, ("drop", "denied"))):
            self.assertEqual(self.asked_in(family, port), verdict, port)
            self.assertEqual(self.into(port, family, timeout=0.4) == "open", verdict[0] == "pass",
                             port)
        self.assertEqual(self.asked_in(family, 53, proto="udp"), ("pass", None))
        self.assertEqual(self.asked_in(family, 54, proto="udp"), ("drop", "no-rule"))
        self.assertEqual(self.into(53, family, "udp", timeout=0.4), "open")

    @each_family
    def test_a_limit_that_is_reached_and_one_that_is_not(self, family):
        self.assertEqual(self.asked_in(family, 8000, src=FIRST[family]), ("pass", None))
        results = [self.into(8000, family, src=FIRST[family], timeout=0.4) for _ in range(2)]
        self.assertEqual(results, ["open", "open"])
        self.assertEqual(self.asked_in(family, 8000, src=FIRST[family]), ("drop", "over-limit"))
        self.assertEqual(self.into(8000, family, src=FIRST[family], timeout=0.4), "timeout")
        self.assertEqual(self.asked_in(family, 8000), ("pass", None))

    @each_family
    def test_a_ban_and_its_end(self, family):
        self.assertEqual(self.guard.call("ban", FIRST[family], "--for", "1h").returncode, 0)
        answer = self.ask(question("in", "tcp", FIRST[family], HOST[family], 80))
        self.assertEqual((answer["verdict"], answer["reason"]), ("drop", "banned"))
        self.assertIn(f"unban {FIRST[family]}", answer["next"])
        self.assertIsNone(answer["allow"])
        self.assertEqual(self.into(80, family, src=FIRST[family], timeout=0.4), "timeout")
        self.assertEqual(self.guard.call("unban", FIRST[family]).returncode, 0)
        self.assertEqual(self.asked_in(family, 80, src=FIRST[family]), ("pass", None))
        self.assertEqual(self.into(80, family, src=FIRST[family], timeout=0.4), "open")

    @each_family
    def test_what_belongs_to_a_known_flow_passes_and_what_does_not_is_dropped(self, family):
        handle = self.here.call("hold", dst=PEER[family], port=443)["handle"]
        local = self.local_port(family)
        def asked(port):
            return self.ask(question("in", "tcp", PEER[family], HOST[family], port, "ack",
                                     src_port=443))
        known = asked(local)
        self.assertEqual(known["verdict"], "pass", known)
        self.assertIn("known", known["why"] or "known")
        self.assertEqual(self.here.result("exchange", handle=handle, timeout=5.0), "open")
        stray = asked(local - 1)
        self.assertEqual((stray["verdict"], stray["reason"]), ("drop", "no-flow"))

    def local_port(self, family):
        """Of the connection to the peer's 443, the latest."""
        shown = self.host.run("ss", "-Htn", "-4" if family == 4 else "-6", "dport", "=", ":443")
        return int(shown.split("\n")[0].split()[3].rsplit(":", 1)[1])

    @each_family
    def test_what_a_process_sends_by_who_it_is(self, family):
        table = ((443, (), self.here, "pass"), (444, (), self.here, "drop"),
                 (5432, (), self.here, "drop"), (5432, ("--unit", "rag.service"), self.rag, "pass"),
                 (5432, ("--unit", "user.service"), self.user, "drop"),
                 (5433, ("--uid", "4711"), self.user, "pass"),
                 (5433, ("--uid", "4712"), self.here, "drop"))
        for port, who, agent, verdict in table:
            self.assertEqual(self.asked_out(family, port, *who)[0], verdict, (port, who))
            result = self.out(port, family, agent=agent)
            self.assertEqual(result == "open", verdict == "pass", (port, who, result))
        path = f"{self.lab.cgroup.path}/system.slice/rag.service"
        self.assertEqual(self.asked_out(family, 5432, "--cgroup", path), ("pass", None))

    @each_family
    def test_packets_in_bytes_are_judged_as_they_are(self, family):
        src, dst = PEER[family], HOST[family]
        syn = packets.tcp(src, dst, 4711, 80)
        good = packets.ip(src, dst, packets.TCP, syn)
        table = [("pass", None, good), ("drop", "truncated", good[:-8]),
                 ("drop", "tcp-flags", packets.ip(src, dst, packets.TCP,
                                                  packets.tcp(src, dst, 4711, 80, "SF"))),
                 ("drop", "fragment", packets.fragments(src, dst, packets.TCP,
                                                        syn + bytes(64), 32)[0])]
        for verdict, reason, packet in table:
            self.assertEqual(self.verdict("in", "--hex", packet.hex()), (verdict, reason))
            frame = self.frame(packet)
            self.assertEqual(self.verdict("in", "on", "eth0", "--hex", frame.hex()),
                             (verdict, reason))
            if reason:
                before = self.guard.status()["reasons"].get(reason, 0)
                self.send(frame)
                self.assertTrue(eventually(
                    lambda: self.guard.status()["reasons"].get(reason, 0) > before), reason)
        other = packets.ethernet("02:00:00:00:00:99", "02:00:00:00:00:02", good)
        self.assertEqual(self.verdict("in", "on", "eth0", "--hex", other.hex()),
                         ("drop", "other-station"))

    def test_a_capture_is_answered_packet_by_packet(self):
        frames = [self.frame(packets.ip(PEER[f], HOST[f], packets.TCP,
                                        packets.tcp(PEER[f], HOST[f], 4711, port)))
                  for f in FAMILIES for port in (80, 81)]
        path = os.path.join(self.guard.directory, "asked.pcap")
        with open(path, "wb") as file:
            file.write(capture(frames))
        done = self.guard.call("explain", "in", "on", "eth0", "--pcap", path)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(done.stdout.count("would pass:"), 2, done.stdout)
        self.assertEqual(done.stdout.count("would be dropped:"), 2)
        answers = self.ask("in", "on", "eth0", "--pcap", path)
        self.assertEqual([a["verdict"] for a in answers], ["pass", "drop"] * 2)
        self.assertEqual(self.ask("in", "--pcap", path, "--packet", "2")["reason"], "no-rule")

    def test_the_rule_is_named_with_its_line(self):
        answer = self.ask(question("in", "tcp", PEER[4], HOST[4], 80))
        with open(self.file, encoding="utf-8") as file:
            lines = file.read().splitlines()
        self.assertEqual(answer["rule"]["name"], "web")
        near = lines[answer["rule"]["line"] - 1:answer["rule"]["line"] + 1]
        self.assertTrue(any("[[ingress]]" in n or '"web"' in n for n in near), near)
        self.assertEqual(answer["policy"], {"file": self.file, "changed": False})
        said = self.guard.call("explain", question("in", "tcp", PEER[4], HOST[4], 80)).stdout
        self.assertIn(f'{self.file}:{answer["rule"]["line"]}', said)


class Traceless(Explains):
    POLICY = RULES + "[flows]\nmax = 4096\n"  # a table that is quickly dumped

    @classmethod
    def prepare(cls):
        for port in (80, 8000, 81):
            cls.here.call("listen", port=port)
        cls.there.call("listen", port=443)

    def frames(self):
        """A hundred packets of all sorts."""
        found = []
        for family in FAMILIES:
            src, dst = PEER[family], HOST[family]
            for port in range(10):
                for flags in ("S", "A", "R", "SF"):
                    found.append(packets.tcp(src, dst, 50000 + port, (80, 23, 8000, 81)[port % 4],
                                             flags))
            found = [f if isinstance(f, tuple) else (family, packets.TCP, f) for f in found]
            found += [(family, packets.UDP, packets.udp(src, dst, 50000 + n, 53)) for n in range(10)]
        return [self.frame(packets.ip(PEER[f], HOST[f], proto, segment))
                for f, proto, segment in found]

    def test_a_hundred_questions_leave_every_map_as_it_was(self):
        for family in FAMILIES:  # there is something to spend, to enter and to count
            self.assertEqual(self.into(80, family), "open")
            self.assertEqual(self.into(8000, family, src=FIRST[family]), "open")
            self.assertEqual(self.out(443, family), "open")
        self.guard.call("ban", "198.51.100.7", "--for", "1h")
        path = os.path.join(self.guard.directory, "hundred.pcap")
        frames = self.frames()
        self.assertEqual(len(frames), 100)
        with open(path, "wb") as file:
            file.write(capture(frames))

        def differs(act):
            stood = standing_cgroups()
            before = self.maps()
            act()
            after = self.maps()
            stood &= standing_cgroups()
            for held in (before, after):
                held["sp_cgroups"] = of_cgroups(held["sp_cgroups"], stood)
            return [name for name in before if before[name] != after[name]]

        def ask():
            self.assertEqual(len(self.ask("in", "on", "eth0", "--pcap", path)), 100)
            for way in ("out", "forward"):
                for family in FAMILIES:
                    src, dst = (HOST, SOMEBODY) if way == "out" else (SOMEBODY, FIRST)
                    self.ask(question(way, "tcp", src[family], dst[family], 443), "--iface", "eth0")

        # Neighbour discovery and the daemon's own rounds write now and then; an asker that
        # wrote would do so each time.
        tries = []
        for _ in range(4):
            tries.append(differs(ask))
            if not tries[-1]:
                break
            time.sleep(1.0)
        self.assertEqual(tries[-1], [], tries)
        self.assertIn("sp_counts", differs(lambda: self.into(81, 4, timeout=0.2)))


if __name__ == "__main__":
    unittest.main()

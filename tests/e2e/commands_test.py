# SPDX-License-Identifier: Apache-2.0
"""The commands as a person and a script meet them."""
import json
import os
import subprocess
import unittest

from harness import (HOST, OUTSIDE, PEER, E2e, both, each_family, eventually, packets, rule)

RULES = (rule("ingress", "web", both(PEER), ports=[80])
         + rule("ingress", "told", both(PEER), ports=[2222], log="new")
         + rule("egress", "https", both(PEER), ports=[443]))
STATUS_KEYS = {"state", "why", "mode", "generation", "trial", "policy", "hooks", "reasons", "rules",
               "flows", "cookies", "challenges", "answers", "bans", "jails", "events", "packet_sockets",
               "version", "waiting", "blind"}


class Check(E2e):
    """`check` works offline: no daemon, no kernel, no namespace."""

    def check(self, text, *flags, name="p.toml"):
        return self.guard.call("check", *flags, self.guard.write_policy(text, name))

    def test_a_good_policy_is_zero(self):
        done = self.check(self.policy(RULES))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_every_error_in_one_run_with_line_caret_and_hint(self):
        text = ('schema = 1\n[host]\ninterfaces = ["eth0"]\n[zones]\nadmin = ["10.0.0.0/24"]\n'
                '[[ingress]]\nname = "ssh"\nfrom = "admon"\nproto = "tcp"\nports = [22]\n'
                '[[ingress]]\nname = "big"\nfrom = "any"\nproto = "tcp"\nports = [70000]\n'
                '[[ingress]]\nname = "typo"\nfrom = "any"\nproto = "tcp"\nprots = [1]\n')
        done = self.check(text, name="bad.toml")
        self.assertEqual(done.returncode, 2)
        for line, wrong in ((8, "admon"), (15, "70000"), (20, "prots")):
            self.assertRegex(done.stderr, rf"bad\.toml:{line}:\d+: error: ")
            shown = [i for i, t in enumerate(done.stderr.splitlines()) if wrong in t]
            self.assertTrue(shown, wrong)
        self.assertIn('from = "admon"', done.stderr)
        self.assertRegex(done.stderr, r"(?m)^\s*(\d*\s*\|\s*)?\^")
        self.assertRegex(done.stderr, "did you mean .*admin")
        self.assertEqual(done.stdout, "")

    def test_bad_policies_are_two(self):
        for what, text in (("not TOML", "[[["), ("empty", ""), ("no schema", "[host]\n"),
                           ("unknown key", self.policy("[flaws]\nmax = 1\n")),
                           ("duplicate name", self.policy(RULES + RULES)),
                           ("ports without ports", self.policy(
                               rule("ingress", "x", "any", proto="icmp", ports=[1]))),
                           ("no proto", self.policy(rule("ingress", "x", "any", proto=None))),
                           ("counts what does not end", self.policy(
                               rule("ingress", "x", "any", proto="udp", ports=[1])
                               + "max-connections = 1\n"))):
            self.assertEqual(self.check(text).returncode, 2, what)

    def test_a_file_that_is_not_there_is_two_or_three_with_its_name(self):
        done = self.guard.call("check", "/nonexistent/policy.toml")
        self.assertIn(done.returncode, (2, 3))
        self.assertIn("/nonexistent/policy.toml", done.stderr)

    def test_the_example_in_the_documentation_is_good(self):
        root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        with open(os.path.join(root, "docs", "examples", "ai-host.toml"), encoding="utf-8") as file:
            done = self.check(file.read())
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_wrong_usage_is_two(self):
        for words in ((), ("check",), ("nonsense",), ("status", "--nonsense"),
                      ("tail", "--reason", "no-such-reason"), ("tail", "--src", "10.0.0.0/99")):
            done = self.guard.call(*words)
            self.assertEqual(done.returncode, 2, words)
            self.assertTrue(done.stderr.strip(), words)

    def test_help_and_version_are_zero(self):
        for words in (("--help",), ("run", "--help"), ("tail", "--help"), ("--version",)):
            done = self.guard.call(*words)
            self.assertEqual(done.returncode, 0, words)
            self.assertTrue(done.stdout.strip(), words)

    def test_without_a_daemon(self):
        done = self.guard.call("tail")
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertTrue(done.stderr.strip())
        status = self.guard.call("status", "--json")
        self.assertEqual(json.loads(status.stdout)["state"], "not-protected")
        self.assertEqual(set(json.loads(status.stdout)), STATUS_KEYS)
        self.assertIn("NOT protected", self.guard.call("status").stdout.splitlines()[0])
        self.assertEqual(self.guard.down().returncode, 0)


class Status(E2e):
    POLICY = RULES

    @classmethod
    def prepare(cls):
        cls.here.call("listen", port=80)

    def test_every_key_is_there(self):
        status = self.guard.status()
        self.assertEqual(set(status), STATUS_KEYS)
        self.assertEqual((status["state"], status["why"], status["mode"], status["trial"]),
                         ("protected", None, "enforce", None))
        self.assertEqual(set(status["policy"]), {"file", "sha256", "applied", "by"})
        self.assertEqual(status["policy"]["file"], self.file)
        self.assertRegex(status["policy"]["sha256"], "^[0-9a-f]{64}$")
        self.assertEqual({h["hook"] for h in status["hooks"]} - {"forward", "hold"},
                         {"xdp", "connect", "sendmsg", "cgroup", "tc"})
        for hook in status["hooks"]:
            self.assertTrue({"hook", "iface", "mode", "attached", "admitted", "dropped"}
                            <= set(hook), hook)
            self.assertTrue(hook["attached"], hook)
        self.assertEqual([h["mode"] for h in status["hooks"] if h["hook"] == "xdp"], ["native"])
        self.assertEqual({r["name"] for r in status["rules"]}, {"web", "told", "https"})
        for one in status["rules"]:
            self.assertTrue({"name", "direction", "admitted", "limited", "bytes"} <= set(one), one)
        self.assertTrue({"entries", "max", "refused"} <= set(status["flows"]))
        self.assertTrue({"sent", "folded", "lost"} <= set(status["events"]))
        self.assertIn("active", status["bans"])

    def test_the_first_line_is_for_people(self):
        self.assertRegex(self.guard.call("status").stdout.splitlines()[0].lower(), "^protected")

    def test_no_colours_off_a_terminal(self):
        environment = {k: v for k, v in self.guard.environment.items() if k != "NO_COLOR"}
        done = subprocess.run(self.guard.command("status"), capture_output=True, text=True,
                              timeout=30, env=environment, check=False)
        self.assertNotIn("\033", done.stdout)

    def test_admitted_and_dropped_are_what_arrived(self):
        def arrived():
            nic = next(h for h in self.guard.status()["hooks"] if h["hook"] == "xdp")
            return nic["admitted"] + nic["dropped"]
        before = arrived()
        for number in range(10):
            self.there.call("udp", dst=HOST[4], port=7100 + number, wait=False)
        self.assertTrue(eventually(lambda: arrived() >= before + 10))

    def test_the_control_socket_is_not_for_everybody(self):
        socket = os.path.join(self.guard.environment["SALLYPORT_RUN_DIR"], "control.sock")
        self.assertEqual(os.stat(socket).st_mode & 0o007, 0)
        self.assertEqual(os.stat(self.guard.pins).st_mode & 0o777, 0o700)


class Tail(E2e):
    POLICY = RULES

    @classmethod
    def prepare(cls):
        cls.here.call("listen", port=2222)

    def served(self, *arguments):
        """A tail with that filter, once the one without has shown a later drop."""
        tail = self.guard.tail(*arguments)
        self.addCleanup(tail.close)
        socket = os.path.join(self.guard.environment["SALLYPORT_RUN_DIR"], "control.sock")
        # Connected is when the kernel shows the socket among the process's own.
        self.assertTrue(eventually(lambda: self.has_socket(tail.process.pid)), socket)
        self.expect_no_event(event="never")
        return tail

    @staticmethod
    def has_socket(pid):
        try:
            return any(os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:")
                       for fd in os.listdir(f"/proc/{pid}/fd"))
        except OSError:
            return False

    @each_family
    def test_filters_let_through_what_they_name(self, family):
        port = 7000 + family
        tails = {name: self.served(*words) for name, words in {
            "port": ("--port", str(port)), "src": ("--src", PEER[family]),
            "dst": ("--dst", OUTSIDE[family]), "direction": ("--direction", "egress"),
            "exfil": ("--exfil",), "reason": ("--reason", "metadata"),
            "rule": ("--rule", "told")}.items()}
        self.into(port, family, "udp", timeout=0.1)
        self.out(port + 10, family, dst=OUTSIDE[family])
        self.into(2222, family)
        mine = {"in": {"dst_port": port}, "out": {"dst_port": port + 10}, "new": {"event": "new"}}
        wanted = {"port": ["in"], "src": ["in", "new"], "dst": ["out"], "direction": ["out"],
                  "exfil": ["out"], "reason": [], "rule": ["new"]}
        for facts in mine.values():
            self.expect_event(**facts)
        for name, expected in wanted.items():
            for one in expected:
                self.assertIsNotNone(tails[name].wait(**mine[one]), f"--{name} lacks {one}")
            for one in set(mine) - set(expected):
                self.assertEqual(tails[name].find(**mine[one]), [], f"--{name} has {one}")

    def test_count_ends_it_with_zero(self):
        tail = self.served("--count", "2", "--direction", "egress")
        for port in range(7200, 7204):
            self.out(port, 4)
        self.assertEqual(tail.process.wait(10), 0)
        tail.reader.join(5)
        self.assertEqual([e["dst_port"] for e in tail.events], [7200, 7201])

    def test_sequence_numbers_have_no_gap(self):
        for port in range(7300, 7310):
            self.out(port, 4)
        self.expect_event(dst_port=7309)
        numbers = [e["seq"] for e in self.tail.events]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))

    def test_many_readers_get_the_same(self):
        tails = [self.served() for _ in range(8)]
        for port in range(7400, 7405):
            self.out(port, 6)
        for tail in tails:
            self.assertIsNotNone(tail.wait(dst_port=7404))
            ports = [e.get("dst_port", 0) for e in tail.events]
            self.assertEqual([p for p in ports if 7400 <= p < 7405], list(range(7400, 7405)))
            self.assertEqual(tail.broken, [])

    def told(self, port, *arguments):
        """What a tail with these arguments prints of a refused way out to that port."""
        process = self.lab.start(
            self.guard.command("tail", "--count", "1", "--port", str(port), *arguments),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.guard.environment)
        self.assertTrue(eventually(lambda: self.has_socket(process.pid)))
        self.expect_no_event(event="never")
        self.out(port, 4, dst=OUTSIDE[4])
        out, err = process.communicate(timeout=20)
        self.assertEqual(len(out.splitlines()), 1, err)
        return out

    def test_other_systems_get_it_in_their_shapes(self):
        line = json.loads(self.told(7601, "--format", "eve"))
        self.assertEqual((line["event_type"], line["dest_ip"], line["dest_port"]),
                         ("drop", OUTSIDE[4], 7601))
        line = json.loads(self.told(7602, "--format", "ecs"))
        self.assertEqual((line["event"]["reason"], line["destination"]["port"], line["process"]["name"]),
                         ("no-rule", 7602, "app"))
        line = json.loads(self.told(7603, "--format", "ocsf"))
        self.assertEqual((line["type_uid"], line["dst_endpoint"]["ip"]), (400105, OUTSIDE[4]))
        self.assertEqual(json.loads(self.told(7604, "--format", "json"))["dst_port"], 7604)
        for words in (("xml",), ("eve", "--json")):
            self.assertEqual(self.guard.call("tail", "--format", *words).returncode, 2)

    def test_the_log_file_has_the_same_lines(self):
        self.out(7500, 4)
        event = self.expect_event(dst_port=7500)
        self.assertTrue(eventually(lambda: self.guard.events(seq=event["seq"])))
        self.assertEqual(self.guard.events(seq=event["seq"])[0], event)

    def test_text_is_one_line_an_event_with_names(self):
        out = self.told(7600)
        for word in ("DROP", "egress", "no-rule", OUTSIDE[4], "7600", "app"):
            self.assertIn(word, out)
        self.assertNotIn("\033", out)


class SlowReader(E2e):
    def test_it_misses_arrivals_is_told_and_slows_nobody(self):
        self.begin(RULES + "[events]\nper-second = 1000000\nrepeat = \"1s\"\n")
        slow = self.lab.start(self.guard.command("tail", "--json"), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env=self.guard.environment)
        self.assertTrue(eventually(lambda: Tail.has_socket(slow.pid)))
        self.expect_no_event(event="never")
        frames = [self.frame(packet) for packet in self.distinct(12000)]
        for at in range(0, len(frames), 500):
            self.send(*frames[at:at + 500])
            # The one that reads has all, to the last; so neither the ring overflows nor its own
            # socket, however slow the machine is.
            self.expect_event(dst_port=30000 - len(frames) + at + 499)
        self.assertEqual(self.out(7100, 4), "eperm")
        self.expect_event(direction="egress", dst_port=7100)
        told, lost = 0, 0
        for line in slow.stdout:
            event = json.loads(line)
            told += event["event"] == "drop" and event.get("dst_port") in range(18000, 30000)
            lost += event.get("count", 0)
            if event.get("direction") == "egress":
                break
        self.assertGreater(lost, 1000)
        self.assertGreaterEqual(told + lost, len(frames))
        self.assertLess(told + lost, len(frames) + 200)  # others of ours, and the stack's own
        self.assertIsNone(slow.poll())
        slow.terminate()
        slow.communicate(timeout=60)

    @staticmethod
    def distinct(count):
        return (packets.ipv4(PEER[4], HOST[4], packets.UDP,
                             packets.udp(PEER[4], HOST[4], 4000, 30000 - count + number))
                for number in range(count))


if __name__ == "__main__":
    unittest.main()

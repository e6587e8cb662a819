# SPDX-License-Identifier: Apache-2.0
"""`explain` with what is wrong, missing, unreadable, huge or hostile."""
import os
import subprocess
import unittest

from explain_support import Explains, capture, question
from harness import HOST, PEER, both, rule

GOOD = question("in", "tcp", PEER[4], HOST[4], 80)


class Refused(Explains):
    def explain(self, *arguments, **options):
        return self.guard.call("explain", *arguments, **options)

    def expect(self, code, *arguments):
        done = self.explain(*arguments)
        self.assertEqual(done.returncode, code, (str(arguments)[:200], done.stderr))
        self.assertTrue(done.stderr.strip(), arguments)
        self.assertEqual(done.stdout, "", arguments)
        return done.stderr

    def put(self, name, content):
        path = os.path.join(self.guard.directory, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def test_what_is_no_question_is_two_wall_or_no_wall(self):
        wrong = [(), ("in",), ("sideways tcp a > b",), ("in tcp 10.0.0.5 > 10.0.0.1:80 sin",),
                 ("x" * 100000,), ("in", "--hex", "zz"), ("in", "--hex", "4"),
                 (GOOD, "--hex", "4500"), (GOOD, "--unit", "x"),
                 ("in", "--pcap", "/nonexistent"), ("in", "--pcap", "/"),
                 ("in", "--pcap", "/dev/zero"), ("in", "--pcap", self.put("empty", b"")),
                 ("in", "--pcap", self.put("short", capture([b"x" * 60])[:-1])),
                 ("in", "--pcap", self.put("one", capture([b"x" * 60])), "--packet", "2"),
                 ("in", "--pcap", self.put("many", capture([b"x" * 60] * 1001))),
                 ("--event", "first"), ("--event", "last", GOOD),
                 ("in", "--hex", "4500", "--pcap", "x"), (GOOD, "--packet", "0"),
                 (GOOD, "--no-such-flag"), ("out tcp 10.1.0.1 > 10.1.0.2:1", "--uid", "-1"),
                 ("out tcp 10.1.0.1 > 10.1.0.2:1", "--user", "nobody-of-that-name")]
        for arguments in wrong:
            self.expect(2, *arguments)

    def test_no_wall_is_three_and_says_how_to_raise_one(self):
        said = self.expect(3, GOOD)
        self.assertIn("no wall stands", said)
        self.assertIn("sallyport run", said)
        self.assertIn("sallyport run", self.expect(3, "--event", "last"))

    def test_who_is_not_root_is_told_so(self):
        done = subprocess.run(
            self.host.command(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                               self.guard.binary, "explain", GOOD]),
            capture_output=True, text=True, env=self.guard.environment, check=False)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("root", done.stderr)

    def test_with_a_wall_what_it_has_not_is_named(self):
        self.begin(rule("ingress", "web", both(PEER), ports=[80]))
        self.assertIn("no interface", self.expect(2, GOOD, "--iface", "eth9"))
        out = question("out", "tcp", HOST[4], PEER[4], 80)
        self.assertIn("no unit", self.expect(2, out, "--unit", "nothing.service"))
        self.assertIn("no unit", self.expect(2, out, "--unit", "../../system.slice"))
        self.assertIn("no cgroup", self.expect(2, out, "--cgroup", "/nothing"))
        self.assertIn("no cgroup", self.expect(2, out, "--cgroup", "/../../etc"))
        self.assertEqual(self.explain(GOOD).returncode, 0)

    def test_from_another_network_namespace_it_says_where_to_ask(self):
        self.begin(rule("ingress", "web", both(PEER), ports=[80]))
        done = subprocess.run(self.peer.command([self.guard.binary, "explain", GOOD]),
                              capture_output=True, text=True, env=self.guard.environment,
                              check=False)
        self.assertEqual(done.returncode, 3, done.stdout)
        self.assertIn("another network namespace", done.stderr)

    def test_a_packet_of_any_length_has_an_answer_or_an_error(self):
        self.begin(rule("ingress", "web", both(PEER), ports=[80]))
        for size in (1, 13, 14, 20, 33, 34, 60, 1500, 3000, 9000, 60000):
            done = self.explain("in", "on", "eth0", "--hex", "45" + "00" * (size - 1))
            self.assertIn(done.returncode, (1, 2, 3), (size, done.stderr))
            self.assertTrue(done.stdout if done.returncode == 1 else done.stderr)


if __name__ == "__main__":
    unittest.main()

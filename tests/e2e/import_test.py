# SPDX-License-Identifier: Apache-2.0
"""import: what it exits with, of rules that are carried whole, in part, and of none."""
import json
import os

from harness import E2e

KNOWN = "-A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT\n"
ANSWERS = "-A OUTPUT -m state --state ESTABLISHED,RELATED -j ACCEPT\n"
SSH = "-A INPUT -s 10.0.0.0/24 -p tcp -m tcp --dport 22 -j ACCEPT\n"
STRANGE = "-A INPUT -p tcp -m string --string x --algo bm -j ACCEPT\n"


def table(rules):
    return ("*filter\n:INPUT DROP [0:0]\n:OUTPUT DROP [0:0]\n:FORWARD DROP [0:0]\n"
            f"{KNOWN}{rules}{ANSWERS}COMMIT\n")


class Import(E2e):
    def put(self, name, content):
        path = os.path.join(self.guard.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
        return path

    def bring(self, *words):
        return self.guard.call("import", *words)

    def test_what_is_carried_whole_is_zero_and_a_policy_that_check_takes(self):
        done = self.bring("iptables", self.put("whole", table(SSH)))
        self.assertEqual(done.returncode, 0, done.stderr)
        checked = self.guard.call("check", self.guard.write_policy(done.stdout, "imported.toml"))
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertIn("10.0.0.0/24", done.stdout)
        self.assertNotIn("not carried", done.stderr)

    def test_what_is_not_carried_is_one_named_by_its_line_and_the_rest_is_there(self):
        file = self.put("part", table(SSH + STRANGE))
        done = self.bring("iptables", file)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("not carried: line 7", done.stderr)
        self.assertIn("next: ", done.stderr)
        self.assertIn("10.0.0.0/24", done.stdout)
        told = self.bring("iptables", file, "--json")
        report = json.loads(told.stdout)
        self.assertEqual((told.returncode, report["ok"]), (1, False))
        self.assertEqual([one["line"] for one in report["findings"]
                          if one["kind"] == "not carried"], [7])
        self.assertEqual(self.bring("iptables", file, "--ignore", "7").returncode, 0)

    def test_what_cannot_be_read_is_two_and_prints_no_policy(self):
        good = self.put("good", table(SSH))
        for words in (("iptables", "/nonexistent"), ("iptables", self.guard.directory),
                      ("iptables", "/dev/zero"), ("iptables", self.put("none", "no rules\n")),
                      ("iptables", self.put("cut", table(SSH).replace("COMMIT\n", ""))),
                      ("nft", good), ("nft", self.put("json", "[]")), ("ufw", good),
                      ("iptables", good, "--ipv6", "/nonexistent"), ("ipchains", good), (),
                      ("iptables", good, "--ignore", "first"), ("iptables", good, "another"),
                      ("iptables", good, "--no-such-flag")):
            done = self.bring(*words)
            self.assertEqual(done.returncode, 2, (words, done.stdout, done.stderr))
            self.assertEqual(done.stdout, "", words)
            self.assertTrue(done.stderr.strip(), words)

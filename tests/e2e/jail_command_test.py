# SPDX-License-Identifier: Apache-2.0
"""`jail test`, as an operator calls it: what it says, and its exit codes."""
import json
import os
import subprocess
import tempfile
import unittest

from harness import BINARY
from slow import patient

STAMP = "Jan  2 03:04:05 gpu-07 "
LOG = "".join(f"{STAMP}api: wrong key from {who}\n" for who in
              ["203.0.113.7"] * 3 + ["2001:db8::7"] * 3 + ["192.0.2.1"]) + STAMP + "api: all is well\n"


class JailTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="sallyport-jail-test-")
        self.addCleanup(self.directory.cleanup)
        self.write("filter.d/api.conf", "[Definition]\nfailregex = wrong key from <HOST>$\n")
        self.write("filter.d/many.conf", "[Init]\nmaxlines = 3\n"
                                         "[Definition]\nfailregex = wrong key from <HOST>$\n")
        self.log = self.write("api.log", LOG)

    def write(self, name, text):
        path = os.path.join(self.directory.name, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o600)
        return path

    def jail_test(self, *arguments):
        return subprocess.run([BINARY, "jail", "test", "--fail2ban", self.directory.name, *arguments],
                              capture_output=True, text=True, timeout=patient(30.0), check=False)

    def test_lines_that_match_are_zero_and_whom_they_ban_is_said(self):
        done = self.jail_test("api", self.log, "--max-retry", "3")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("8 lines, 7 matched", done.stdout)
        bans = [line.split()[1] for line in done.stdout.splitlines() if " after 3 failures" in line]
        self.assertEqual(bans, ["203.0.113.7", "2001:db8::/64"])
        judged = json.loads(self.jail_test("api", self.log, "--max-retry", "3", "--json").stdout)
        self.assertEqual([line["failures"][0]["fate"] for line in judged["judged"]],
                         ["counted", "counted", "banned"] * 2 + ["counted"])

    def test_no_line_that_matches_is_one(self):
        for filter_, log in (("right key from <HOST>$", self.log), ("api", "nothing of it"),
                             ("api", self.write("empty.log", ""))):
            self.assertEqual(self.jail_test(filter_, log).returncode, 1, (filter_, log))

    def test_a_filter_that_cannot_be_used_is_two_with_the_reason(self):
        for filter_, word in (("nobody", 'no filter "nobody"'), ("wrong (key from <HOST>", "character"),
                              ("many", "maxlines = 3"), ("api[x", "closing bracket"),
                              (os.path.join(self.directory.name, "filter.d/none.conf"), "there is no")):
            done = self.jail_test(filter_, self.log)
            self.assertEqual(done.returncode, 2, (filter_, done.stderr))
            self.assertIn(word, done.stderr)

    def test_a_log_that_cannot_be_read_is_three_with_the_reason(self):
        for log, word in (("/nowhere/api.log", "No such file"), (self.directory.name, "Is a directory")):
            done = self.jail_test("api", log)
            self.assertEqual(done.returncode, 3, (log, done.stderr))
            self.assertIn(log + ": " + word, done.stderr)


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""sallyport report: a span of time in one readable file, from what a real wall wrote."""
import gzip
import json
import os
import re
import stat
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

from harness import PEER, E2e, both, rule


def line(when, **facts):
    facts = {"v": 1, "ts": when, "event": "drop", "direction": "ingress", "reason": "no-rule",
             "proto": "tcp", "src": "192.0.2.7", "dst": "10.0.1.5", "dst_port": 22, **facts}
    return json.dumps(facts, separators=(",", ":"))


class Report(E2e):
    def report(self, *options, log=None, check=0):
        done = self.guard.call("report", *options, *(("--log", log) if log else ()))
        self.assertEqual(done.returncode, check, done.stderr)
        return done

    def written(self, name, *lines):
        path = os.path.join(self.directory.name, name)
        opened = gzip.open if name.endswith(".gz") else open
        with opened(path, "wt", encoding="utf-8") as file:
            file.write("".join(one + "\n" for one in lines))
        return path

    def setUp(self):
        super().setUp()
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def test_what_a_wall_wrote_is_told(self):
        self.begin(rule("egress", "web", both(PEER), ports=[443])
                   + '[exfil]\ninside = ["127.0.0.0/8"]\n')
        self.assertEqual(self.out(22, 4), "eperm")
        self.expect_event(direction="egress", dst=PEER[4], dst_port=22)
        told = json.loads(self.report("--json", "--last", "1h").stdout)
        self.assertGreaterEqual(told["curves"]["leaving"]["total"], 1)
        self.assertEqual(told["curves"]["exfil"]["total"], told["curves"]["leaving"]["total"])
        self.assertTrue(any(c["text"].startswith("policy applied") for c in told["changes"]), told["changes"])
        text = self.report("--last", "1h").stdout
        self.assertIn("to leave the inside", text)
        self.assertIn(PEER[4], text)

    def test_a_span_is_told_against_the_one_before_also_from_packed_files(self):
        log = self.written("events.jsonl", line("2026-01-03T10:00:00.000000Z", repeats=5))
        self.written("events.jsonl.1", line("2026-01-02T10:00:00.000000Z", repeats=2))
        self.written("events.jsonl-20260102.gz", line("2026-01-02T09:00:00.000000Z", src="fd00::1"))
        told = json.loads(self.report("--json", "--from", "2026-01-03", "--to", "2026-01-04", log=log).stdout)
        arriving = told["curves"]["arriving"]
        self.assertEqual((arriving["total"], arriving["before"]), (5, 3))
        self.assertEqual(told["arriving"]["sources"]["top"],
                         [{"name": "192.0.2.7", "count": 5, "new": False}])

    def test_html_is_one_whole_file_that_fetches_nothing_and_runs_nothing(self):
        log = self.written("events.jsonl", line("2026-01-03T10:00:00.000000Z"),
                           line("2026-01-03T11:00:00.000000Z", direction="egress", exfil=True,
                                comm="<script>alert(1)</script>", pid=7))
        out = os.path.join(self.directory.name, "report.html")
        self.report("--html", "--from", "2026-01-03", "--to", "2026-01-04", "-o", out, log=log)
        self.assertEqual(stat.S_IMODE(os.stat(out).st_mode), 0o640)
        with open(out, encoding="utf-8") as file:
            html = file.read()
        self.assertNotIn("<script", html)
        self.assertIn("&lt;script&gt;", html)
        self.assertIsNone(re.search(r"(?:src|href)=|url\(|@import", html))
        plots = re.findall(r"<svg.*?</svg>", html, re.S)
        self.assertEqual(len(plots), 5)
        for plot in plots:
            xml.etree.ElementTree.fromstring(plot)

    def test_what_is_wrong_is_said(self):
        for options, code in ((("--last", "soon"), 2), (("--from", "yesterday"), 2),
                              (("--from", "2026-01-03", "--to", "2026-01-03"), 2),
                              (("--from", "2026-13-01"), 2), (("--last", "100d", "--from", "2026-01-01"), 2),
                              (("--html", "--json"), 2), (("--from", "1971-01-01"), 2)):
            self.assertTrue(self.report(*options, check=code).stderr, options)
        gone = self.report(log="/nowhere/events.jsonl", check=3)
        self.assertIn("next: ", gone.stderr)
        self.assertEqual(gone.stdout, "")
        log = self.written("events.jsonl")
        self.assertIn("no regular file", self.report("-o", "/dev/null", log=log, check=2).stderr)
        self.assertTrue(os.path.exists("/dev/null"))
        with open("/dev/full", "wb") as full:
            done = subprocess.run([self.guard.binary, "report", "--log", log], stdout=full,
                                  stderr=subprocess.PIPE, text=True, check=False, timeout=30)
        self.assertEqual(done.returncode, 3)
        self.assertIn("No space left", done.stderr)
        full = self.report("-o", "/dev/full/x", log=self.written("events.jsonl"), check=3)
        self.assertIn("/dev/full", full.stderr)


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""Who it was: what an event says of a process, while it lives and when it has gone."""
import os
import stat
import subprocess
import sys
import unittest

from harness import PEER, E2e, both, each_family, eventually, rule
from slow import patient

UID = 65534
# Three connects that are refused, and the process ends.
SCRIPT = """
import os, socket, sys
os.setgid({uid}); os.setuid({uid})
for _ in range(3):
    s = socket.socket({family}); s.settimeout(5)
    try: s.connect(({peer!r}, {port}))
    except PermissionError: pass
sys.stdin.read()
"""


class Who(E2e):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.share(rule("egress", "web", both(PEER), ports=[443])
                  + '[events]\nrepeat = "1s"\ncommand-lines = true\n')

    def brief(self, family, port):
        script = SCRIPT.format(uid=UID, peer=PEER[family], port=port,
                               family=f"socket.AF_INET{'6' if family == 6 else ''}")
        cgroup = self.lab.cgroup.child("user.slice/brief.service")
        command = self.host.command([sys.executable, "-c", script, "--token", "a b"], cgroup)
        return self.lab.start(command, stdin=subprocess.PIPE)

    @each_family
    def test_a_process_that_has_gone_is_named_in_its_count_too(self, family):
        port = 7000 + family
        process = self.brief(family, port)
        first = self.expect_event(direction="egress", dst=PEER[family], dst_port=port)
        process.communicate(timeout=patient(20))
        count = self.expect_event(direction="egress", dst=PEER[family], dst_port=port, repeats=2)
        for event in (first, count):
            self.assertRegex(event["exe"], r"/python3[.0-9]*$")
            self.assertEqual((event["uid"], event["user"]), (UID, "nobody"))
            self.assertEqual((event["unit"], event["slice"]), ("brief.service", "user.slice"))
            self.assertTrue(event["cmdline"].endswith("--token 'a b'"), event["cmdline"])
            self.assertGreater(event["ppid"], 0)
            self.assertTrue(eventually(lambda event=event: event in self.guard.events(seq=event["seq"])))
            self.assertEqual(stat.S_IMODE(os.stat(self.guard.events_file).st_mode), 0o600)
            self.assertTrue(event["parent"])


if __name__ == "__main__":
    unittest.main()

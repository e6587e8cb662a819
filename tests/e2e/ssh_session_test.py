# SPDX-License-Identifier: Apache-2.0
"""A ban over ssh: nobody cuts the session that he bans from, whatever his environment says."""
import shutil
import subprocess
import time
import unittest

from bans_support import BANS, BanE2e
from harness import CUT, HOST, LAST, PEER, each_family, eventually, rule
from ssh_support import WithSshd

RULES = BANS + rule("ingress", "ssh", "any", ports=[22])


class OverSsh(WithSshd, BanE2e):
    def ban_over_ssh(self, family, network, *before):
        """`ban` within a session: its exit code and what it said."""
        done = self.command_over_ssh(family, "ban", network, before=before)
        return done.returncode, done.stderr

    def refuse(self, family, *before):
        code, said = self.ban_over_ssh(family, PEER[family], *before)
        self.assertEqual(code, 1, said)
        self.assertIn("the address that this session comes from", said)
        self.assertEqual(self.bans(), {})

    @each_family
    def test_the_address_of_the_session_is_refused_and_another_is_not(self, family):
        self.begin(RULES)
        self.refuse(family)
        code, said = self.ban_over_ssh(family, LAST[family])
        self.assertEqual(code, 0, said)
        self.assertEqual(list(self.bans()), [LAST[family]])

    @each_family
    def test_without_the_variable_the_connection_of_sshd_tells(self, family):
        self.begin(RULES)
        self.refuse(family, "env", "-u", "SSH_CONNECTION")

    @each_family
    def test_behind_sudo_as_well(self, family):
        if not shutil.which("sudo"):
            self.skipTest("no sudo here")
        self.begin(RULES)
        self.refuse(family, "sudo", "-n")

    @each_family
    def test_a_session_in_the_daemons_environment_is_nobodys(self, family):
        """The daemon was started over ssh from LAST; who bans comes from PEER."""
        self.guard.environment["SSH_CONNECTION"] = f"{LAST[family]} 50000 {HOST[family]} 22"
        try:
            self.begin(RULES)
        finally:
            del self.guard.environment["SSH_CONNECTION"]
        self.refuse(family)
        code, said = self.ban_over_ssh(family, LAST[family])
        self.assertEqual(code, 0, said)

    @each_family
    def test_without_a_daemon_too(self, family):
        self.begin(RULES)
        self.guard.kill()
        self.refuse(family)

    @each_family
    def test_who_is_logged_in_is_never_banned_automatically(self, family):
        self.begin(RULES + '[bans]\nafter-probes = "4 in 10m for 1h"\n', host='xdp = "generic"')
        # The peer is the gateway as well: he would be spared for that.
        for flag in ("-4", "-6"):
            self.host.run("ip", flag, "route", "flush", "default")
        try:
            session = self.lab.start(self.over_ssh(family, "sleep", "60", flags=("-tt",)),
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
            self.assertTrue(eventually(lambda: self.host.run(
                "ss", "-Htn", "state", "established", "sport", "=", ":22")))
            for _ in range(10):
                self.into(9999, family, src=PEER[family], timeout=0.5)
            self.assertTrue(self.guard.wait_said("where root is logged in from"))
            self.assertEqual(self.bans(), {})
            session.terminate()
            session.wait(10.0)
            self.assertTrue(eventually(lambda: not self.host.run(
                "ss", "-Htn", "state", "established", "sport", "=", ":22")))
            time.sleep(1.1)  # who was spared a moment ago still is
            for _ in range(10):
                self.into(9999, family, src=PEER[family], timeout=0.5)
            self.assertTrue(eventually(self.bans))
            self.assertIn(self.into(80, family, src=PEER[family], timeout=0.5), CUT)
        finally:
            self.host.route("default via 10.1.0.2", "default via fd00:1::2")


if __name__ == "__main__":
    unittest.main()

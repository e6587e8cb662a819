# SPDX-License-Identifier: Apache-2.0
"""Where jails come from and what they read: fail2ban's files as they are, and the journal."""
import os
import shutil
import signal
import subprocess
import sys
import unittest

from bans_support import BANS
from harness import BINARY, FIRST, PEER, each_family, eventually
from jails_support import FAILS, JailE2e
from private_fail2ban import MISSING, ROOT, file_of_theirs
from slow import patient

JOURNALD = "/lib/systemd/systemd-journald"
# A journal of the daemon's own: none at first, and none of this machine's.
APART = ('for d in /run/log /run/systemd /var/log /etc/systemd; do '
         'mkdir -p $d; mount -t tmpfs none $d || exit 9; done; '
         'printf "[Journal]\\nStorage=volatile\\nReadKMsg=no\\nAudit=\\n" >/etc/systemd/journald.conf; '
         'exec "$@"')
SEND = ('import socket, sys; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto('
        'sys.argv[1].encode(), "/run/systemd/journal/socket")')


class FromFiles(JailE2e):
    def tree(self, *parts):
        return os.path.join(self.guard.directory, "fail2ban", *parts)

    def put(self, name, text):
        os.makedirs(os.path.dirname(self.tree(name)), exist_ok=True)
        with open(self.tree(name), "w", encoding="utf-8") as file:
            file.write(text)

    def of_files(self, *names):
        listed = ", ".join(f'"{self.tree(name)}"' for name in names)
        return f"{BANS}[fail2ban]\njails = [{listed}]\n"

    def forget_tree(self):
        shutil.rmtree(self.tree(), ignore_errors=True)

    @unittest.skipUnless(ROOT, MISSING)
    @each_family
    def test_the_files_that_fail2ban_brings_ban_as_they_are(self, family):
        self.forget_tree()
        shutil.copytree(file_of_theirs("etc/fail2ban"), self.tree())
        self.put("jail.d/zz.local", f"[sshd]\nenabled = true\nbackend = auto\nport = ssh\n"
                 f"logpath = {self.log()}\nmaxretry = 2\n")
        self.begin(self.of_files("jail.conf"))
        self.assertEqual([j["name"] for j in self.guard.status()["jails"]], ["sshd"])
        with open(self.log(), "a", encoding="utf-8") as log:
            for port in (50001, 50002):
                log.write(self.stamp() + f" host sshd[{port}]: Failed password for root from "
                          f"{PEER[family]} port {port} ssh2\n")
        self.expect_event(event="ban", origin="jail:sshd", network=PEER[family])
        self.assertEqual(self.into(80, family), "timeout")

    @each_family
    def test_the_journal_is_followed_from_before_it_is_there(self, family):
        if not os.path.exists(JOURNALD):
            self.skipTest("systemd-journald is not installed")
        self.forget_tree()
        self.put("jail.conf", "[api]\nenabled = true\nbackend = systemd\nfilter = api\nmaxretry = 3\n"
                 "journalmatch = SYSLOG_IDENTIFIER=api\n")
        self.put("filter.d/api.conf", "[Definition]\n"
                 f"failregex = api\\[?\\d*\\]?: {FAILS.format('<HOST>')}$\n")
        self.begin_apart(self.of_files("jail.conf"))
        self.wait_jail(why="there is no systemd journal on this machine")
        journald = self.start_journald()
        self.log_to_journal(PEER[family], 1)
        self.wait_jail(matched=1, why=None)
        journald.send_signal(signal.SIGUSR2)  # it rotates its files
        self.log_to_journal(FIRST[family], 5, identifier="other")
        self.log_to_journal(PEER[family], 2)
        self.expect_event(event="ban", origin="jail:api", network=PEER[family])
        self.assertEqual(self.into(80, family), "timeout")
        self.assertEqual(self.into(80, family, src=FIRST[family]), "open")
        self.assertEqual(self.jail_state()["matched"], 3)

    def begin_apart(self, rules):
        """The daemon in a mount namespace of its own."""
        self.addCleanup(setattr, self.guard, "command", self.guard.command)
        plain = self.guard.command

        def command(*arguments, **options):
            if arguments[0] != "run":
                return plain(*arguments, **options)
            return self.host.command(["unshare", "-m", "sh", "-c", APART, "sh",
                                      os.path.abspath(BINARY), *arguments])
        self.guard.command = command
        self.begin(rules)
        self.guard.command = plain

    def beside(self, *command):
        """A command that sees what the daemon sees."""
        return ["nsenter", "-t", str(self.guard.process.pid), "-m", *command]

    def start_journald(self):
        journald = self.lab.start(self.beside(JOURNALD))

        def end():
            journald.terminate()
            journald.wait(patient(20.0))
        self.addCleanup(end)
        return journald

    def log_to_journal(self, who, times, identifier="api"):
        text = f"MESSAGE={FAILS.format(who)}\nSYSLOG_IDENTIFIER={identifier}\n"

        def sent():
            return subprocess.run(self.beside(sys.executable, "-c", SEND, text), check=False,
                                  capture_output=True, timeout=patient(20.0)).returncode == 0
        for _ in range(times):
            self.assertTrue(eventually(sent))


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""What jails must not do, and what they cannot: told, and nobody is locked out."""
import os
import pty
import unittest

from bans_support import BANS
from harness import FIRST, HOST, PEER, each_family, eventually
from jails_support import FAILS, JailE2e, jail
from killer import watch

EVERYBODY = {4: "0.0.0.0/0", 6: "::/0"}


def says(process, what):
    with open(f"/proc/{process}/environ", "rb") as file:
        return what in file.read()


class JailsRefused(JailE2e):
    def said_not_to_ban(self, who):
        self.assertTrue(self.guard.wait_said(f'jail "api" does not ban {who}'), self.guard.said())

    @each_family
    def test_neither_this_host_nor_who_is_never_banned_is_banned(self, family):
        zone = f'[zones]\nadmin = ["{PEER[family]}"]\n'
        self.begin(BANS + '[bans]\nnever = ["admin"]\n' + jail(self.log()), zones=zone)
        self.write(*[HOST[family]] * 4, *[PEER[family]] * 4, *[FIRST[family]] * 3)
        event = self.expect_event(event="ban", origin="jail:api")
        self.assertTrue(event["network"].startswith(FIRST[family].rstrip(":")), event)
        self.assertEqual(self.into(80, family), "open")
        self.assertEqual(self.guard.status()["bans"]["active"], 1)
        self.said_not_to_ban(PEER[family])

    def test_who_is_never_banned_shields_nobody_beside_him(self):
        self.begin(BANS + '[bans]\nnever = ["fd00:2:0:1::77"]\n' + jail(self.log()))
        self.write(*[FIRST[6]] * 3)
        self.wait_banned(FIRST[6])
        self.assertEqual(self.into(80, 6, src=FIRST[6]), "timeout")

    @each_family
    def test_from_where_root_is_logged_in_nobody_is_banned(self, family):
        self.begin(BANS + jail(self.log()))
        held = self.there.call("hold", dst=HOST[family], port=80)
        process, terminal = pty.fork()
        if process == 0:
            peer = f"{PEER[family]} 50000 {HOST[family]} 22"
            os.execvpe("sleep", ["sleep", "60"], {**os.environ, "SSH_CONNECTION": peer})
        try:
            self.assertTrue(eventually(lambda: says(process, b"SSH_CONNECTION=" + PEER[family].encode())))
            self.write(*[PEER[family]] * 3)
            self.said_not_to_ban(f"{PEER[family]}: {PEER[family]} is where root is logged in from")
            self.assertEqual(self.into(80, family), "open")
        finally:
            os.kill(process, 9)
            os.waitpid(process, 0)
            os.close(terminal)
        self.assertEqual(held["result"], "open")
        self.assertTrue(eventually(lambda: not self.write(*[PEER[family]] * 3) and self.bans(), 8.0))
        self.assertEqual(self.into(80, family), "timeout")

    def test_lines_of_an_attacker_ban_nobody_else(self):
        self.begin(BANS + jail(self.log(), match=FAILS.format("<HOST>") + "$"))
        lines = [FAILS.format(who).encode() for who in (
            *EVERYBODY.values(), "10.0.0.0/8", "127.0.0.1", "::1", "224.0.0.1", "0.0.0.0", "::",
            HOST[4], HOST[6], "::ffff:" + HOST[4], "10.1.0.2.evil.example", "$(reboot)",
            f"'; unban {PEER[4]}", f"10.1.0.{'2' * 70000}", PEER[4] + "/33", "\x1b[2J", "%n%s", "999.1.1.1")]
        lines += [b"\xff\xfe\x00" + FAILS.encode(), b"A" * 200000, b"\x00" * 5000]
        with open(self.log(), "wb") as out:
            out.write(b"\n".join(lines * 4) + b"\n")
        self.write(*[FIRST[4]] * 3)
        self.wait_banned(FIRST[4])
        self.assertNotIn("\x1b", self.guard.said())
        self.assertEqual((self.into(80, 4), self.into(80, 6)), ("open", "open"))

    @each_family
    def test_no_line_runs_anything(self, family):
        """The daemon and its threads are watched while it reads, bans and lifts."""
        made = os.path.join(self.guard.directory, "made")
        self.begin(BANS + jail(self.log()))
        trace = os.path.join(self.guard.directory, "trace")
        tracer = watch(self.lab, self.guard.process.pid, [
            "strace", "-f", "-qq", "-o", trace, "-e", "trace=bpf,execve,execveat"])
        text = [f"$(touch {made})", f"`touch {made}`", f"; touch {made} #", f"| touch {made}",
                f"\n~! touch {made}\n", f"%(touch {made})s", f"&& touch {made}"]
        with open(self.log(), "a", encoding="utf-8") as out:
            for words in text:
                line = FAILS.format(FIRST[family])
                out.write(f"{self.stamp()} {words} {line} {words}\n{words}{line}{words}\n")
        self.write(*[PEER[family]] * 3)
        self.expect_event(event="ban", network=PEER[family])
        self.assertEqual(self.guard.call("unban", PEER[family]).returncode, 0)
        tracer.terminate()
        tracer.wait(10)
        with open(trace, encoding="utf-8", errors="replace") as lines:
            seen = lines.read()
        self.assertIn("BPF_MAP_UPDATE_ELEM", seen)
        self.assertNotIn("exec", seen)
        self.assertFalse(os.path.exists(made))

    def test_one_that_cannot_work_is_told_and_the_others_work(self):
        gone = jail(self.log(), name="gone", match="x").replace('match = ["x"]', 'filter = "nobody"')
        self.begin(BANS + jail(self.log(), name="bad", match="Invalid (key from <HOST>") + gone
                   + jail(self.log()) + '[fail2ban]\njails = ["/nowhere/jail.conf"]\n')
        self.assertTrue(self.guard.wait_said('jail "bad" does not work: '))
        self.assertTrue(self.guard.wait_said('jail "gone" does not work: '))
        self.assertTrue(self.guard.wait_said("no jail of /nowhere/jail.conf works"))
        self.assertIn("match", self.jail_state("bad")["why"])
        self.write(*[PEER[4]] * 3)
        self.wait_banned(PEER[4])
        checked = self.guard.call("check", self.file)
        self.assertEqual(checked.returncode, 2)
        self.assertIn('jail "bad"', checked.stderr + checked.stdout)

    def test_a_log_that_cannot_be_read_is_told(self):
        os.mkdir(self.log("directory"))
        self.begin(BANS + jail(self.log("directory")))
        self.assertTrue(eventually(lambda: "not a regular file" in (self.jail_state()["why"] or "")))


if __name__ == "__main__":
    unittest.main()

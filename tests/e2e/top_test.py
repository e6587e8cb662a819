# SPDX-License-Identifier: Apache-2.0
"""sallyport top, as somebody at a terminal has it: driven by keys in tmux."""
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from harness import FIRST, HOST, LAST, PEER, E2e, both, eventually, rule
from slow import patient

RULES = (rule("ingress", "web", both(PEER), ports=[80]) + rule("egress", "https", both(PEER), ports=[443])
         + '[exfil]\ninside = ["127.0.0.0/8"]\n')


class Screen:
    """A terminal of its own, with a shell in it that says how `top` ended."""

    def __init__(self, test, columns=80, rows=24, interactive=False, **environment):
        self.directory = tempfile.TemporaryDirectory()
        test.addCleanup(self.directory.cleanup)
        self.socket = os.path.join(self.directory.name, "tmux")
        env = {k: v for k, v in test.guard.environment.items()
               if k not in ("NO_COLOR", "LC_ALL", "LC_CTYPE", "TMUX")}
        env.update({"LANG": "C.UTF-8", **environment})
        # -D: it stays our child, and ends with us.
        self.server = test.lab.start(["tmux", "-D", "-u", "-S", self.socket, "-f", "/dev/null"],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                     stdin=subprocess.DEVNULL, env=env)
        test.addCleanup(self.close)
        self.top = " ".join(f"'{word}'" for word in test.guard.command("top"))
        # The shell lives through the C-c that is meant for its child.
        script = (f"trap : INT; echo before; stty -g > {self.directory.name}/was; {self.top}; "
                  f"echo ended $?; stty -g > {self.directory.name}/is; echo after; exec cat")
        if interactive:
            script = "PS1='ready ' exec bash --noprofile --norc -i"
        eventually(lambda: os.path.exists(self.socket))
        self.tmux("new-session", "-d", "-x", str(columns), "-y", str(rows), f'sh -c "{script}"')

    def tmux(self, *words):
        done = subprocess.run(["tmux", "-S", self.socket, *words], capture_output=True, text=True,
                              timeout=patient(20), check=False)
        if done.returncode != 0:
            raise AssertionError(f"tmux {words}: {done.stderr}")
        return done.stdout

    def text(self, *options):
        return self.tmux("capture-pane", "-p", *options)

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def wait(self, pattern):
        shown = []

        def found():
            shown[:] = [self.text()]
            return re.search(pattern, shown[0])
        match = eventually(found, 15)
        if not match:
            raise AssertionError(f"never {pattern!r} in:\n{shown[0]}")
        return shown[0]

    def wait_without(self, pattern):
        if not eventually(lambda: not re.search(pattern, self.text()), 15):
            raise AssertionError(f"still {pattern!r} in:\n{self.text()}")

    def close(self):
        self.server.terminate()
        self.server.wait(patient(10))


@unittest.skipUnless(shutil.which("tmux"), "there is no tmux")
class Top(E2e):
    POLICY = RULES

    def traffic(self):
        self.assertEqual(self.into(22, 4, timeout=0.3), "timeout")
        self.assertEqual(self.into(23, 6, timeout=0.3), "timeout")
        self.assertEqual(self.out(22, 4), "eperm")

    def screen(self, *arguments, **options):
        screen = Screen(self, *arguments, **options)
        screen.wait("hooks [1-9]")
        return screen

    def test_who_is_refused_and_what_tried_to_leave_is_seen_as_it_happens(self):
        screen = self.screen()
        self.assertRegex(screen.text(), r"PROTECTED +generation \d")
        self.traffic()
        shown = screen.wait(r"5 attempts to leave[^\n]*\n\S+ \(app\.service\) > 10\.1\.0\.2:22 ")
        for pattern in (r"(?m)^10\.1\.0\.2 +[\d.]+ +\d", r"(?m)^fd00:1::2 ", r"  10\.1\.0\.2:22 ",
                        r"(?m)^(https|web) ", r"in +admitted", r"dropped", r"exfil [1-9]"):
            self.assertRegex(shown, pattern)
        self.assertEqual(len(shown.splitlines()), 24)

    def test_keys_choose_sort_filter_and_stop_it(self):
        screen = self.screen()
        self.traffic()
        screen.wait(r"fd00:1::2 ")
        screen.keys("1")
        self.assertRegex(screen.wait("1 sources refused .*what"), r"no-rule, tcp 2[23]")
        screen.keys("/", "fd00")
        screen.wait("/fd00_")
        screen.keys("Enter")
        shown = screen.wait("filter: fd00")
        self.assertIn("fd00:1::2", shown)
        self.assertNotIn("10.1.0.2 ", shown)
        screen.keys("Escape")
        screen.wait(r"(?m)^10\.1\.0\.2 ")
        screen.keys("s", "s")
        shown = screen.wait("sort: name")
        self.assertLess(shown.index("\n10.1.0.2 "), shown.index("\nfd00:1::2 "))
        screen.keys("r")
        shown = screen.wait("name, reversed")
        self.assertGreater(shown.index("\n10.1.0.2 "), shown.index("\nfd00:1::2 "))
        screen.keys("6")
        self.assertRegex(screen.wait("6 reasons"), "(?m)^no-rule ")
        screen.keys("?")
        screen.wait("sort by rate, total")
        screen.keys("x")
        screen.wait_without("sort by rate, total")

    def test_a_paused_screen_stands_still_and_has_missed_nothing(self):
        screen = self.screen()
        screen.keys("1", "p")
        screen.wait("PAUSED")
        self.assertEqual(self.into(24, 4, timeout=0.3, src=FIRST[4]), "timeout")
        self.assertEqual(self.into(24, 4, timeout=0.3, src=LAST[4]), "timeout")
        self.expect_event(src=LAST[4])
        still = screen.text()
        self.assertNotIn(LAST[4], still)
        screen.keys("p")
        self.assertIn(FIRST[4], screen.wait(re.escape(LAST[4])))

    def test_it_leaves_the_terminal_as_it_was(self):
        for how in ("q", "C-c"):
            with self.subTest(how):
                screen = self.screen()
                self.assertEqual(screen.tmux("display", "-p", "#{alternate_on} #{cursor_flag}"), "1 0\n")
                screen.keys(how)
                shown = screen.wait("after")
                self.assertEqual(shown.split(), ["before", "ended", "0", "after"])
                self.assertEqual(screen.tmux("display", "-p", "#{alternate_on} #{cursor_flag}"), "0 1\n")
                with open(os.path.join(screen.directory.name, "was"), encoding="ascii") as was, \
                        open(os.path.join(screen.directory.name, "is"), encoding="ascii") as after:
                    self.assertEqual(was.read(), after.read())

    def test_it_is_stopped_and_goes_on(self):
        screen = Screen(self, interactive=True)
        screen.wait("ready")
        screen.keys("clear; " + screen.top, "Enter")
        screen.wait("hooks [1-9]")
        screen.keys("C-z")
        screen.wait("Stopped")
        self.assertEqual(screen.tmux("display", "-p", "#{alternate_on} #{cursor_flag}"), "0 1\n")
        screen.keys("fg", "Enter")
        screen.wait("hooks [1-9]")
        screen.keys("2")
        screen.wait("2 destinations refused")
        screen.keys("q")
        screen.wait_without("destinations refused")
        self.assertEqual(screen.tmux("display", "-p", "#{alternate_on} #{cursor_flag}"), "0 1\n")

    def test_it_follows_the_size_of_the_terminal(self):
        screen = self.screen()
        screen.tmux("resize-window", "-x", "120", "-y", "40")
        self.assertEqual(len(screen.wait(r"(?m)^.{85,}$").splitlines()), 40)
        screen.tmux("resize-window", "-x", "50", "-y", "12")
        screen.wait(r"(?m)^5 attempts to leave")
        screen.tmux("resize-window", "-x", "30", "-y", "5")
        screen.wait("too small")

    def test_colours_only_where_they_are_wanted(self):
        self.assertIn("\x1b[32m", self.screen().text("-e"))
        self.assertNotRegex(self.screen(NO_COLOR="1").text("-e"), r"\x1b\[\d*m")

    def test_a_frame_without_a_terminal(self):
        self.traffic()
        done = self.guard.call("top", "--once")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("PROTECTED", done.stdout)
        self.assertNotIn("\x1b", done.stdout)
        self.assertEqual(len(done.stdout.splitlines()), 23)
        self.assertRegex(done.stdout, r"in +admitted +[\d.]")
        done = self.guard.call("top")
        self.assertEqual(done.returncode, 3)
        self.assertIn("--once", done.stderr)
        for wrong in ("0s", "2m", "soon"):
            self.assertEqual(self.guard.call("top", "--interval", wrong).returncode, 2, wrong)


@unittest.skipUnless(shutil.which("tmux"), "there is no tmux")
class Alone(E2e):
    def test_without_a_daemon_it_says_so(self):
        done = self.guard.call("top", "--once")
        self.assertEqual(done.returncode, 4)
        self.assertIn("no sallyport daemon", done.stderr)

    def test_a_daemon_that_ends_and_comes_again_is_followed(self):
        self.begin(RULES)
        screen = Screen(self)
        screen.wait("hooks [1-9]")
        self.guard.process.send_signal(signal.SIGKILL)
        self.guard.process.wait(patient(10))
        shown = screen.wait("the daemon has ended")
        self.assertIn("PROTECTED", shown)
        self.assertEqual(self.into(22, 4, timeout=0.3), "timeout")
        self.guard.start(self.file)
        screen.wait("hooks [1-9]")
        self.assertEqual(self.into(25, 4, timeout=0.3, dst=HOST[4]), "timeout")
        screen.keys("1")
        screen.wait("no-rule, tcp 25")


if __name__ == "__main__":
    unittest.main()

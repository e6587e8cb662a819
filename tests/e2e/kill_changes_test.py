# SPDX-License-Identifier: Apache-2.0
"""SIGKILL after every system call by which a `confirm`, a panic or its end changes something:
what stands in the kernel is what the next start finds, and what it writes down.
"""
import json
import os
import shutil

from harness import eventually
from kill_support import LONG, Sweep
from killer import points, some

LAST = 10 ** 6 if LONG else 20  # moments, from the end: what comes before only adopts
SHARE = 10 ** 6 if LONG else 2  # of these, and the first and the last


class Changes(Sweep):
    """Of a wall that nobody runs, by the pins."""

    def stand(self, *commands):
        """Policy A and a past that begins with it; then these; then nobody."""
        self.taken_down("before")
        shutil.rmtree(self.state(), ignore_errors=True)
        self.guard.start(self.file)
        for command in commands:
            done = self.guard.call(*command)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.guard.kill()

    def state(self):
        return os.path.join(self.guard.directory, "state")

    def ends(self, command, *before):
        """Runs it whole, then again and again; yields after each kill in the latter part."""
        self.stand(*before)
        self.watched(command)
        yield "not killed"
        every = points(self.trace)
        self.assertGreater(len(every), 20)
        for point in some(every[-LAST:], SHARE, self.dice):
            self.stand(*before)
            self.watched(command, point)
            yield f"killed at {point[0]} number {point[1]}"

    def outcomes(self):
        shown = json.loads(self.guard.call("history", "--json").stdout)
        return [entry["outcome"] for entry in shown["policies"]]

    def is_on_trial(self):
        return self.guard.status()["trial"] is not None

    def reboot(self):
        self.guard.kill()
        shutil.rmtree(self.guard.pins)
        gone = eventually(lambda: not self.programs())
        self.assertTrue(gone, "the hooks outlived their pins")

    def goes_on(self, why, name):
        """The next start finds it as it is."""
        self.guard.start(self.file)
        self.answer(f"{why}, and started again", name)


class KilledConfirm(Changes):
    def test_a_confirm_that_is_killed_is_written_down_as_what_the_kernel_has(self):
        seen = set()
        for why in self.ends(["confirm"], ["apply", self.files["B"], "--confirm", "600s"]):
            self.answer(why, "B")
            on_trial = self.is_on_trial()
            seen.add(on_trial)
            self.started(why, "B")
            self.assertEqual(self.is_on_trial(), on_trial, why)
            self.assertEqual(self.outcomes(), ["trial" if on_trial else "confirmed", "applied"],
                             why)
            self.reboot()
            self.started(why, "A" if on_trial else "B")
            self.assertEqual(self.outcomes(), ["expired" if on_trial else "confirmed", "applied"],
                             why)
        self.assertEqual(seen, {True, False})
        self.taken_down("after all kills")


class KilledPanic(Changes):
    def test_a_panic_that_is_killed_is_there_or_not_and_the_next_start_keeps_it(self):
        seen = set()
        for why in self.ends(["panic"]):
            name = self.answer(why, "A", "closed")
            seen.add(name)
            self.assertEqual(self.is_on_trial(), name == "closed", why)
            self.goes_on(why, name)
            if name == "closed":
                self.assertTrue(self.guard.status()["trial"]["panic"], why)
                self.assertEqual(self.guard.call("confirm").returncode, 1, why)
                self.assertEqual(self.guard.call("panic", "--off").returncode, 0, why)
            self.answer(f"{why}, and ended", "A")
        self.assertEqual(seen, {"A", "closed"})
        self.taken_down("after all kills")

    def test_an_end_of_a_panic_that_is_killed_has_ended_it_or_not(self):
        seen = set()
        for why in self.ends(["panic", "--off"], ["panic"]):
            name = self.answer(why, "A", "closed")
            seen.add(name)
            self.assertEqual(self.is_on_trial(), name == "closed", why)
            self.goes_on(why, name)
            self.assertEqual(self.is_on_trial(), name == "closed", why)
            self.assertEqual(self.guard.call("panic", "--off").returncode, int(name == "A"), why)
            self.answer(f"{why}, and ended", "A")
        self.assertEqual(seen, {"A", "closed"})
        self.taken_down("after all kills")


if __name__ == "__main__":
    import unittest
    unittest.main()

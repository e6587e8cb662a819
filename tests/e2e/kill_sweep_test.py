# SPDX-License-Identifier: Apache-2.0
"""SIGKILL after every system call by which a start, a reload, an adoption, a takeover from
another version or a `down` changes something: one policy wholly, or none at all, and the next start and
the next `down` work. By default a share of the moments; with SP_LONG=1 all of them, and with
SP_PART=2/4 beside it the second of four parts of them.
"""
import os
import signal
import time

from harness import eventually
from kill_support import PART, PARTS, PATIENCE, RANDOM, SHARE, Sweep
from killer import attach, points, some


class KilledStart(Sweep):
    def test_a_start_that_is_killed_leaves_all_of_the_wall_or_none(self):
        seen = set()
        for why in self.kills(["run", "-c", self.file]):
            name = self.answer(why, "A", "open")
            self.told(why, name)
            seen.add(name)
            self.started(why, "A")
            self.taken_down(why)
        self.assertEqual(seen, {"A", "open"})


class KilledAdoption(Sweep):
    def test_an_adoption_that_is_killed_leaves_the_wall_whole(self):
        self.guard.start(self.file)
        for why in self.kills(["run", "-c", self.file], self.guard.kill):
            self.answer(why, "A")
            self.told(why, "A")
            self.started(why, "A")
        self.taken_down("after all kills")


class KilledUpgrade(Sweep):
    def test_a_takeover_from_another_version_that_is_killed_leaves_the_wall_whole(self):
        self.guard.start(self.file)

        def of_another_version():
            self.guard.kill()
            os.rename(os.path.join(self.guard.pins, "v1"), os.path.join(self.guard.pins, "v0"))
        for why in self.kills(["run", "-c", self.file], of_another_version):
            self.answer(why, "A")
            self.started(why, "A")
            self.assertEqual(os.listdir(self.guard.pins), ["v1"], why)
        self.taken_down("after all kills")


class KilledDown(Sweep):
    def test_a_down_that_is_killed_leaves_all_of_the_wall_or_none(self):
        def stand():
            self.guard.start(self.file)
            self.guard.kill()
        seen = set()
        for number, why in enumerate(self.kills(["down"], stand)):
            name = self.answer(why, "A", "open")
            self.told(why, name)
            seen.add(name)
            if number % 2:
                self.started(why, "A")
            self.taken_down(why)
        self.assertEqual(seen, {"A", "open"})


class KilledReload(Sweep):
    def reload(self, point=None):
        """SIGHUP, and the daemon's end or its answer."""
        process = attach(self.lab, self.guard.process.pid, self.trace, point)
        since = os.path.getsize(self.guard.log)
        self.guard.reload()
        killed = eventually(lambda: self.guard.process.poll() is not None
                            or "protecting, generation" in self.guard.said(since), 20.0)
        self.assertTrue(killed, "neither ended nor reloaded")
        if self.guard.process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(10)

    def test_a_reload_that_is_killed_leaves_the_old_policy_or_the_new_one(self):
        self.guard.start(self.file)
        now, seen = "A", set()

        def after(why):
            old, new = now, "B" if now == "A" else "A"
            name = self.answer(why, old, new)
            seen.add("new" if name == new else "old")
            if self.guard.process.poll() is None:
                self.guard.kill()
            self.told(why, name)
            self.started(why, name)
            return name
        self.use("B")
        begun = time.monotonic()
        self.reload()
        duration = time.monotonic() - begun
        every = points(self.trace)
        chosen = some(every, SHARE, self.dice)[PART - 1::PARTS]
        self.assertGreater(len(every), 10)
        print(f"{len(chosen)} of {len(every)} moments of a reload")
        now = "A"
        now = after("not killed")
        for point in chosen:
            if time.monotonic() > begun + PATIENCE:
                print(f"the time is up before {point}")
                break
            self.use("B" if now == "A" else "A")
            self.reload(point)
            now = after(f"killed at {point[0]} number {point[1]}")
        for _ in range(RANDOM):
            if time.monotonic() > begun + PATIENCE:
                break
            self.use("B" if now == "A" else "A")
            self.guard.reload()
            time.sleep(self.dice.uniform(0.0, duration))
            self.guard.kill()
            now = after("killed at a random time")
        self.assertEqual(seen, {"old", "new"})
        self.taken_down("after all kills")



if __name__ == "__main__":
    import unittest
    unittest.main()

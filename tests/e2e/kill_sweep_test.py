# SPDX-License-Identifier: Apache-2.0
"""SIGKILL after every system call by which a start, a reload, an adoption, a takeover from
another version or a `down` changes something: one policy wholly, or none at all, and the next start and
the next `down` work. By default a share of the moments; with SP_LONG=1 all of them, and with
SP_PART=2/4 beside it the second of four parts of them.
"""
import os
import random
import signal
import subprocess
import time

import slow
from harness import FAMILIES, HOST, PEER, E2e, both, eventually, rule, together
from killer import attach, finish, points, some, strace

LONG = os.environ.get("SP_LONG") == "1"
SHARE = 10 ** 6 if LONG else 8   # moments of a sweep
PART, PARTS = (int(n) for n in os.environ.get("SP_PART", "1/1").split("/"))
RANDOM = 100 if LONG else 3      # kills at random times beside them
PATIENCE = (3600.0 if LONG else 35.0) * slow.FACTOR
BOTH = rule("ingress", "web", both(PEER), ports=[80]) + rule("egress", "https", both(PEER),
                                                             ports=[443])
POLICIES = {
    "A": BOTH + rule("ingress", "a-in", both(PEER), ports=[81])
         + rule("egress", "a-out", both(PEER), ports=[444]),
    "B": BOTH + rule("ingress", "b-in", both(PEER), ports=[82])
         + rule("egress", "b-out", both(PEER), ports=[445]),
}
IN, OUT = (80, 81, 82, 83), (443, 444, 445, 446)
# By port: allowed by both, by A, by B, by neither.
ANSWERS = {"open": (1, 1, 1, 1), "A": (1, 1, 0, 0), "B": (1, 0, 1, 0), "closed": (0, 0, 0, 0)}


class Sweep(E2e):
    """What the four sweeps share."""

    @classmethod
    def prepare(cls):
        for port in IN:
            cls.here.call("listen", port=port)
        for port in OUT:
            cls.there.call("listen", port=port)
        seed = int(os.environ.get("SP_SEED", random.randrange(2 ** 32)))
        print(f"SP_SEED={seed}")
        cls.dice = random.Random(seed)
        cls.trace = os.path.join(cls.guard.directory, "strace")
        cls.files = {name: cls.guard.write_policy(cls.policy(rules), f"{name}.toml")
                     for name, rules in POLICIES.items()}
        cls.file = cls.guard.write_policy(cls.policy(POLICIES["A"]), "now.toml")

    def use(self, name):
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(self.policy(POLICIES[name]))

    def ask(self, patience):
        """Which policy the wall answers by: each way and family, as what lets through."""
        calls = [lambda p=p, f=f: self.into(p, f, timeout=patience) for f in FAMILIES for p in IN]
        calls += [lambda p=p, f=f: self.out(p, f, timeout=patience) for f in FAMILIES for p in OUT]
        got = [int(answer == "open") for answer in together(*calls)]
        return [tuple(got[i:i + 4]) for i in range(0, 16, 4)]

    def answer(self, why, *allowed):
        """The one policy that all of 16 openings are answered by."""
        got = []
        for patience in (0.4, 3.0):  # slow is not refused
            got = self.ask(patience)
            for name in allowed:
                if got == [ANSWERS[name]] * 4:
                    return name
        self.fail(f"{why}: in4, in6, out4, out6 answer {got}, not as one of {allowed}")

    def started(self, why, *allowed):
        """The next start: protected, by one policy; its rules have their names."""
        self.guard.start(self.file)
        name = self.answer(f"{why}, and started again", *allowed)
        status = self.guard.status()
        self.assertEqual(status["state"], "protected", f"{why}: {status['why']}")
        self.assertEqual([r["name"] for r in status["rules"]],
                         ["web", "https", f"{name.lower()}-in", f"{name.lower()}-out"], why)
        return name

    def taken_down(self, why):
        """`down` leaves nothing behind."""
        if self.guard.process is not None and self.guard.process.poll() is None:
            self.guard.kill()
        done = self.guard.down()
        self.assertEqual(done.returncode, 0, f"{why}: {done.stderr}")
        self.assertFalse(os.path.exists(self.guard.pins), why)
        self.answer(f"{why}, and taken down", "open")
        self.assertIsNone(self.host.ip_json("link", "show", "dev", "eth0")[0].get("xdp"), why)
        self.assertEqual(self.host.run("tc", "filter", "show", "dev", "eth0", "egress"), "", why)
        # A link that is gone is let go of an RCU grace period later.
        left = eventually(lambda: not self.programs(), 5.0)
        self.assertTrue(left, f"{why}: {self.programs()}")

    def programs(self):
        shown = subprocess.run(["bpftool", "cgroup", "show", self.lab.cgroup.directory],
                               capture_output=True, text=True, timeout=20, check=False).stdout
        net = self.host.run("bpftool", "net", "show", "dev", "eth0")
        return [line for line in (shown + net).splitlines() if "sp_" in line]

    def told(self, why, name):
        """The status, which without a daemon is read from the pins, says so too."""
        state = self.guard.status()["state"]
        self.assertEqual(state, "not-protected" if name == "open" else "protected", why)

    def watched(self, arguments, point=None):
        """A command of sallyport under strace, until it is killed, ends, or protects."""
        begun = os.path.getsize(self.guard.log) if os.path.exists(self.guard.log) else 0
        with open(self.guard.log, "a", encoding="utf-8") as log:
            process = self.lab.start(
                self.host.command(strace(self.trace, point) + [self.guard.binary, *arguments]),
                stdout=log, stderr=subprocess.STDOUT, env=self.guard.environment)
        return finish(process, 30.0, lambda: "protecting, generation" in self.guard.said(begun))

    def at_random(self, arguments, duration):
        """The same without strace, killed at a time within its duration."""
        with open(self.guard.log, "a", encoding="utf-8") as log:
            process = self.lab.start(self.guard.command(*arguments), stdout=log,
                                     stderr=subprocess.STDOUT, env=self.guard.environment)
        time.sleep(self.dice.uniform(0.0, duration))
        process.kill()
        process.wait(10)

    def kills(self, arguments, prepare=lambda: None):
        """Runs it once to see its calls, then again and again; yields after each kill."""
        prepare()
        begun = time.monotonic()
        self.watched(arguments)
        duration = time.monotonic() - begun
        yield "not killed"
        every = points(self.trace)
        chosen = some(every, SHARE, self.dice)[PART - 1::PARTS]
        self.assertGreater(len(every), 20)
        print(f"{len(chosen)} of {len(every)} moments of {arguments[0]}")
        for point in chosen:
            if time.monotonic() > begun + PATIENCE:
                print(f"the time is up before {point}")
                break
            prepare()
            self.watched(arguments, point)
            yield f"killed at {point[0]} number {point[1]}"
        for _ in range(RANDOM):
            if time.monotonic() > begun + PATIENCE:
                break
            prepare()
            self.at_random(arguments, duration)
            yield "killed at a random time"


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

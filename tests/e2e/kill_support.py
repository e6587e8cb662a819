# SPDX-License-Identifier: Apache-2.0
"""A wall, commands that are killed between two of their system calls, and what it answers by
after that. By default a share of the moments; with SP_LONG=1 all of them, and with SP_PART=2/4
beside it the second of four parts of them.
"""
import os
import random
import subprocess
import time

import slow
from harness import FAMILIES, PEER, E2e, both, eventually, rule, together
from killer import finish, points, some, strace

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
    """What the sweeps share."""

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

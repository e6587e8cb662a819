# SPDX-License-Identifier: Apache-2.0
"""One policy on both walls, and all that is tried on them."""
import itertools
import random
from collections import Counter
from dataclasses import dataclass, field

from decode import TCP, WITH_PORTS
from differences import ACK, SYN, Setting, class_of
from routes import routing_policy
from steps import FROM_BOX, OUT, run_stories
from stories import Scene, stories
from strays import strays
from through import routed_stories, tuple_of

STYLES = ("nft", "iptables-legacy", "iptables-nft")
SHOWN = 5   # mismatches of a round that are told in full
HOST_PORTS = range(20001, 65000, 2)
PORTS_A_ROUND = 1000


@dataclass
class Round:
    seed: str
    style: str
    steps: int = 0
    passed: int = 0             # steps that both let through
    known: Counter = field(default_factory=Counter)
    unknown: list = field(default_factory=list)  # text; empty when enough was told
    policy: str = ""

    @property
    def good(self):
        return not self.unknown and self.passed > 0

    @property
    def why(self):
        return "\n".join(filter(None, self.unknown)) + f"\nthe policy:\n{self.policy}"

    def line(self):
        return (f"policy {self.seed} against {self.style}: {self.steps} steps, {self.passed} let through "
                f"by both, {self.known.total()} differ as listed, {len(self.unknown)} otherwise")


def ports_of(seed):
    """Of each round its own: what is left of a connection in one of the kernels would make
    another of the next."""
    *_, rounds, last = ["0"] + seed.split("-")
    number = 12 + 6 * int(rounds) + int(last) if "-change-" in seed else int(last)
    at = number * PORTS_A_ROUND % len(HOST_PORTS)
    return itertools.chain(HOST_PORTS[at:], HOST_PORTS[:at])


def play(ground, seed, style, packets, change=None):
    """A Round. `change(policy)` is what the other wall is told instead, to see that it is noticed."""
    dice = random.Random(seed)
    policy = routing_policy(dice, int(seed.rpartition("-")[2]))
    done, setting = Round(seed, style), Setting(policy, style)

    def is_explained(outcome):
        return outcome.alike or class_of(outcome, setting) is not None

    def judge(outcome):
        packet = outcome.packet
        done.passed += outcome.both
        if packet and packet.proto == TCP and (packet.flags or 0) & (SYN | ACK) == SYN:
            setting.asked.add((packet.source(), packet.sport, packet.dport))
        if outcome.alike:
            return
        if policy.nat is not None and packet and packet.proto not in WITH_PORTS:
            scene.parted.add(tuple_of(packet.src, packet.dst, packet.proto))
        known = class_of(outcome, setting)
        if known is not None:
            done.known[known.name] += 1
            return
        done.unknown.append(told(ground, outcome) if len(done.unknown) < SHOWN else "")

    ground.raise_walls(policy, style, change(policy) if change else policy)
    labels = itertools.count(1)
    scene = Scene(ground, dice, policy, labels, ports_of(seed))
    try:
        with ground.on_one_cpu():
            tales = stories(scene, packets // 4) + strays(dice, policy, labels, packets // 2) \
                + routed_stories(scene, packets // 5, packets // 5)
            done.steps = run_stories(ground, tales, is_explained, judge)
    finally:
        scene.close()
    done.policy = policy.toml(ground.cgroup.path)
    return done


def told(ground, outcome):
    """All that is needed to see why: both verdicts, Sallyport's reason, the packet."""
    verdicts = {True: "passes", False: "is dropped"}
    reason = "" if outcome.passed("a") else f" ({reason_of(ground, outcome)})"
    lines = [f"{outcome.step.way}: Sallyport: {verdicts[outcome.passed('a')]}{reason}, "
             f"netfilter: {verdicts[outcome.passed('b')]}"
             + (", INVALID to conntrack" if outcome.invalid else ""),
             f"  packet: {outcome.packet}", f"  note: {outcome.step.note or '-'}"]
    for name, who in (("a", "Sallyport's"), ("b", "the other")):
        if outcome.answers[name]:
            lines.append(f"  {who} host answered (proto, flags, type, code): {sorted(map(str, outcome.answers[name]))}")
    frames = outcome.step.frames["a"] or [p.data for name in "ab" for p in outcome.seen[name]]
    return "\n".join(lines + [f"  hex: {frame.hex()}" for frame in frames])


def reason_of(ground, outcome):
    """Sent once more, what do the counters say? Of what leaves, the events must do."""
    if outcome.step.way == OUT:
        found = ground.guard.events(event="drop", direction="egress", dst=outcome.packet.dst)
        return ", ".join(sorted({e["reason"] for e in found})) or "no event"
    before = ground.reasons()
    for frame in outcome.step.frames["a"]:
        ground.a.send(frame, outcome.step.way == FROM_BOX)
    ground.settle()
    after = ground.reasons()
    return ", ".join(r for r in after if after[r] > before.get(r, 0)) or "no reason when sent again"

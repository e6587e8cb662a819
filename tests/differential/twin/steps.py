# SPDX-License-Identifier: Apache-2.0
"""What is tried on both twins at once, and what came of it.

A story is a generator: it yields a Step, is told the Outcome, and yields the
next. Many run side by side; between one step of all and the next of all there
is a barrier. A story ends where the twins part, since their states have too.
"""
import time
from dataclasses import dataclass, field

from decode import ICMP, ICMP6, TCP, decode_frame
from pieces import put_together

IN, OUT, TO_BOX, FROM_BOX = "in", "out", "to the box", "from the box"
BATCH = 24
GRACES = (0.1, 0.4, 1.5)    # seconds; most need the first alone, and few of the rounds any


@dataclass
class Step:
    """`act(side)` does it and may return frames for the sender to send."""
    way: str                    # IN: seen behind the wall; OUT: seen outside; or routed
    act: object
    is_it: object               # of a Packet that was seen: is it this step's?
    note: str = ""              # what the story knows of it and the packet does not show
    answered: bool = False      # whether what the host's kernel says to it is compared too
    frames: dict = field(default_factory=dict)  # side's name -> [bytes]


@dataclass
class Outcome:
    step: Step
    seen: dict                  # side's name -> [Packet]
    replies: dict               # side's name -> [Packet] that the host's kernel said to it
    answers: dict               # side's name -> {gist of a reply}, where the step compares them
    packet: object = None       # as sent; of what leaves, as seen on the side where it arrived
    invalid: bool = False       # conntrack called it INVALID

    def passed(self, name):
        return bool(self.seen[name])

    @property
    def alike(self):
        return self.passed("a") == self.passed("b") and self.answers["a"] == self.answers["b"]

    @property
    def both(self):
        return self.passed("a") and self.passed("b")


def arrival(label, frames, note="", answered=False):
    """Frames, the same for both twins, that bear the label."""
    return Step(IN, lambda side: frames, lambda p: p.label == label, note, answered)


def departure(act, is_it, note=""):
    """Something that the host does, alike on both."""
    def attempt(side):
        try:
            act(side)
        except OSError:
            pass  # refused at once, or by an error that came before: what arrives tells
    return Step(OUT, attempt, is_it, note)


def mirrors(reply, packet):
    """Is `reply` what a kernel says to `packet`?"""
    if reply.quote is not None:
        return (reply.quote.label, reply.quote.src) == (packet.label, packet.src) and \
            reply.quote.family == packet.family
    return (reply.family, reply.proto, reply.src, reply.dst, reply.sport, reply.dport) == \
        (packet.family, packet.proto, packet.dst, packet.src, packet.dport, packet.sport) and \
        reply.proto in (TCP, ICMP, ICMP6) and reply.ident == packet.ident


def gist(reply):
    return (reply.proto, reply.flags, reply.kind, reply.code)


def run_batch(ground, steps, is_explained):
    """Outcomes, in the order of the steps."""
    for side in ground.sides:
        side.take()
        side.clear()
    for step in steps:
        for side in ground.sides:
            frames = step.act(side) or []
            step.frames[side.name] = frames
            for frame in frames:
                side.send(frame, step.way == FROM_BOX)
    ground.settle()
    outcomes = [outcome_of(ground, step) for step in steps]
    for grace in GRACES:
        if all(map(is_explained, outcomes)):
            break
        # A packet that another CPU was slow with is no difference.
        time.sleep(grace)
        for side in ground.sides:
            side.take()
        outcomes = [outcome_of(ground, step) for step in steps]
    return outcomes


def where(side, way, packet):
    """What there is of that way; what comes for the host may be published, and go on to the box."""
    if way == IN:
        return side.entered + [p for p in side.inside if p.src == packet.src]
    return side.inside if way == TO_BOX else side.left


def sent_packet(frames):
    """The datagram, when the frames are all of its fragments; else the first of them."""
    decoded = [decode_frame(frame) for frame in frames]
    if len(decoded) > 1 and all(p.family for p in decoded):
        return (put_together(decoded) + decoded)[0]
    return decoded[0] if decoded else None


def outcome_of(ground, step):
    seen, replies, answers = {}, {}, {}
    packet = sent_packet(step.frames["a"])
    for side in ground.sides:
        seen[side.name] = [p for p in put_together([p for p in where(side, step.way, packet) if p.family])
                           if step.is_it(p)]
        replies[side.name] = [r for r in side.left + side.inside
                              if packet and r.family and mirrors(r, packet)]
        answers[side.name] = frozenset(gist(r) for r in replies[side.name] if step.answered)
    if packet is None:
        packet = next((p for name in "ab" for p in seen[name]), None)
    invalid = any(p.family and step.is_it(p) for p in ground.b.invalid)
    return Outcome(step, seen, replies, answers, packet, invalid)


def run_stories(ground, stories, is_explained, judge):
    """Runs them to their ends; `judge(outcome)` hears of each step. Returns the number of steps."""
    waiting, running, steps = list(stories), [], 0
    while waiting or running:
        while waiting and len(running) < BATCH:
            story = waiting.pop(0)
            running.append([story, next(story, None)])
        running = [pair for pair in running if pair[1] is not None]
        outcomes = run_batch(ground, [step for _, step in running], is_explained)
        steps += len(outcomes)
        for pair, outcome in zip(running, outcomes):
            judge(outcome)
            try:
                pair[1] = pair[0].send(outcome) if outcome.alike else pair[0].close()
            except StopIteration:
                pair[1] = None
    return steps

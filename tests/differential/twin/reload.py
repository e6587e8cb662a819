# SPDX-License-Identifier: Apache-2.0
"""What a reload does to a connection that the new policy would not have let open.

To netfilter it is ESTABLISHED, and goes on; Sallyport cuts it. A connection
that both policies allow goes on behind either wall. So with those to the host,
and with those that it routes, whichever end has opened them.
"""
import itertools
import random
import socket

import packets
from policies import Policy, Rule
from ground import HOST
from routes import BOX
from steps import FROM_BOX, TO_BOX, run_batch
from stories import Connection, Scene
from through import Path, Talk

PEER = {4: "10.2.3.77", 6: "fd00:2:0:1::5"}
KEPT, LOST = 8001, 8002


def policy_with(ports):
    rules = [Rule(f"port {p}", "ingress", False, ["any"], "tcp", [(p, p)]) for p in ports]
    rules += [Rule(f"route {p}", "forward", False, ["any"], "tcp", [(p, p)], to=["any"]) for p in ports]
    switches = {"dhcp-client": True, "icmp-errors": True, "redirects": False, "ip-options": "drop"}
    return Policy([], rules, "any", switches)


class Broken(AssertionError):
    """What the scenario rests on did not hold."""


def goes_on(ground, step):
    """{side's name: did it arrive}"""
    outcome, = run_batch(ground, [step], lambda _: True)
    return {name: outcome.passed(name) for name in "ab"}


def routed(scene, family, port, opens):
    """A connection through the host, opened that way; what may be said next."""
    peer, box = ((PEER[family], 40001), (BOX[family], port)) if opens == TO_BOX else \
        ((PEER[family], port), (BOX[family], 40001))
    path = Path(scene, family, packets.TCP, opens, peer, box, box)
    talk = Talk(path)
    for way, flags in ((opens, "S"), (path.back, "SA"), (opens, "A")):
        outcome, = run_batch(scene.ground, [talk.say(way, flags)], lambda _: True)
        if not outcome.both:
            raise Broken(f"{flags} {way}, port {port}, over IPv{family}: {outcome.seen}")
    return lambda: talk.say(opens, "PA", payload=b"data")


def opened(scene, family, port):
    pair = scene.pair(family, socket.SOCK_STREAM, bound=port)
    for sock in pair.values():
        sock.listen(4)
    connection = Connection(scene, family, PEER[family], 40000, port)
    for flags in "SA":
        outcome, = run_batch(scene.ground, [connection.say(flags)], lambda _: True)
        if not outcome.both:
            raise Broken(f"{packets.FLAGS} {flags} to {port} over IPv{family}: {outcome.seen}")
        if flags == "S":
            connection.heard(outcome.replies)
            connection.ours += 1
    return connection


def reload_differs(ground, style):
    """What is not as it should be, a line each; nothing when all is."""
    first, second = policy_with((KEPT, LOST)), policy_with((KEPT,))
    ground.raise_walls(first, style)
    scene = Scene(ground, random.Random(1), first, itertools.count(1), itertools.count(20001))
    wrong = []
    try:
        with ground.on_one_cpu():
            made = {}
            for family, port in itertools.product(HOST, (KEPT, LOST)):
                connection = opened(scene, family, port)
                made[family, port, "in"] = lambda c=connection: c.say("PA", payload=b"data")
                for way in (TO_BOX, FROM_BOX):
                    made[family, port, way] = routed(scene, family, port, way)
        ground.change_walls(second, style)
        with ground.on_one_cpu():
            for (family, port, way), says in made.items():
                found = goes_on(ground, says())
                wanted = {"a": port == KEPT, "b": True}
                if found != wanted:
                    wrong.append(f"IPv{family}, port {port}, {way}: {found}, not {wanted}")
    finally:
        scene.close()
    return wrong

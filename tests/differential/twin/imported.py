# SPDX-License-Identifier: Apache-2.0
"""What `sallyport import` makes of a rule set, beside that rule set itself.

Each example of docs/examples/import stands on host `b` as it is, and on `a` as the
policy that it becomes. Both are sent what opens something: packets at random and
ones near each field of the rules, in, out and through. A connection that is limited
is tried less often than the limit says, and once more often.
"""
import ipaddress
import itertools
import json
import os
import random
import re
import socket
import struct
import subprocess

import packets
import ufw
from ground import HOST, HOST_MAC, SENDER_MAC
from lab import run
from observer import forget_flows
from policies import UNITS
from routes import BOX, BOX_MAC, INSIDE_MAC
from stories import FAMILY, is_odd
from steps import BATCH, FROM_BOX, TO_BOX, Step, arrival, departure, run_batch
from strays import labelled

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
EXAMPLES = os.path.join(ROOT, "docs", "examples", "import")
ELSEWHERE = {4: ("10.2.3.4", "203.0.113.9", "192.0.2.9"), 6: ("fd00:2:0:1::5", "2001:db8::9")}
PORTS = (22, 53, 80, 123, 443, 1024, 8000, 8080, 11434, 65535)
LIMITED = 8         # so often a source may ask where anything is limited
SHOWN = 5


class Example:
    """The files of one name; `text[family]` is a rule set, as iptables-restore reads it."""

    def __init__(self, name):
        self.name = name
        path = os.path.join(EXAMPLES, name)
        self.kind = name.rpartition(".")[2]
        self.path, base = path, path.rpartition(".")[0]
        if name.endswith(".nft.json"):
            self.kind = "nft"
        beside = (("--ufw-defaults", ".ufw-defaults"), ("--ipv6", ".ufw6")) if self.kind == "ufw" \
            else (("--ipset", ".ipset"), ("--ipv6", ".ip6tables"))
        self.others = {key: base + end for key, end in beside if os.path.exists(base + end)}
        self.text = {4: read(path)}
        if self.kind == "nft":
            self.others, self.text = {}, {4: read(path), 6: read(path)}
        if "--ipv6" in self.others:
            self.text[6] = read(self.others["--ipv6"])
        self.sets = read(self.others["--ipset"]) if "--ipset" in self.others else ""
        everything = "\n".join(self.text.values()) + self.sets
        self.networks = {f: list(networks_in(everything, f)) for f in self.text}
        self.ports = sorted({int(n) for n in re.findall(r"(?<![\d./:])(\d{1,5})(?![\d./])", everything)
                             if 0 < int(n) < 65536} | set(PORTS))
        self.users = [0] + sorted({int(n) for n in re.findall(r'(?:uid-owner |"skuid"}}, "right": )(\d+)', everything)})
        self.limited = {int(p) for line in everything.split("\n")
                        if re.search(r"limit|recent", line)
                        for p in re.findall(r"dport (\d+)", line)}
        self.often = LIMITED
        if self.kind == "nft":
            self.limited = {11434}
        if self.kind == "ufw":
            self.often = 5  # ufw's own limit: the sixth in 30 s is refused
            said = ufw.defaults(read(self.others["--ufw-defaults"]))
            self.text = {f: ufw.whole(text, f, said) for f, text in self.text.items()}

    def policy(self, ground, binary):
        """The policy as imported, for this lab's cgroup."""
        others = [w for key, path in self.others.items() for w in (key, path)]
        done = subprocess.run([binary, "import", self.kind, self.path, "--json", *others],
                              capture_output=True, text=True, check=False)
        return json.loads(done.stdout)["policy"].replace("[host]\n", f'[host]\ncgroup = "{ground.cgroup.path}"\n') + \
            '\n[events]\nper-second = 1000000\nrepeat = "1s"\n'

    def is_unanswered(self, outcome):
        """Does the source drop the answers, by their address alone? What it lets open so is left out."""
        if self.kind == "ufw":  # answers are let in before all else
            return False
        packet, text = outcome.packet, self.text[outcome.packet.family]
        peers = {packet.src, packet.dst} - set(HOST.values()) - set(BOX.values())
        gone = [n for line in text.split("\n") if re.search("-j (DROP|REJECT)", line)
                and not re.search("ctstate|--state|dport", line)
                for n in networks_in(line, packet.family)]
        gone += networks_in(self.sets, packet.family)
        return outcome.passed("b") and any(ipaddress.ip_address(p) in n for p in peers for n in gone)

    def rules(self, family):
        """For iptables-restore, where there is no ipset: a set is a chain."""
        chains, text = [], self.text[family]
        for name in set(re.findall(r"^create (\S+)", self.sets, re.MULTILINE)):
            members = re.findall(rf"^add {name} (\S+)( nomatch)?", self.sets, re.MULTILINE)
            text = re.sub(rf"-m set --match-set {name} src -j DROP", f"-j set_{name}", text)
            text = text.replace("*filter\n", f"*filter\n:set_{name} - [0:0]\n")
            members.sort(key=lambda m: not m[1])  # those left out come first
            chains += [f"-A set_{name} -s {m} -j {'RETURN' if out else 'DROP'}" for m, out in members]
        head, _, tail = text.rpartition("COMMIT")
        return head + "\n".join(chains) + "\nCOMMIT" + tail


def read(path):
    with open(path, encoding="utf-8") as file:
        return "".join(l for l in file if not l.startswith("#"))


def networks_in(text, family):
    found = re.findall(r"[0-9.]{7,15}(?:/\d+)?", text) if family == 4 else re.findall(r"[0-9a-f:]*::[0-9a-f:]*(?:/\d+)?", text)
    for word in found:
        try:
            network = ipaddress.ip_network(word, strict=False)
        except ValueError:
            continue
        if network.version == family and network.prefixlen > 0:
            yield network


def near(dice, network):
    first, last = int(network.network_address), int(network.broadcast_address)
    at = dice.choice((first, last, first - 1, last + 1, dice.randint(first, last)))
    return str(network.network_address.__class__(min(max(at, 1), 2 ** network.max_prefixlen - 2)))


class Tries:
    """Steps that open something, alike for both sides."""

    def __init__(self, ground, dice, example):
        self.ground, self.dice, self.example = ground, dice, example
        self.labels, self.ports, self.asked = itertools.count(1), itertools.cycle(range(20001, 60000)), {}
        self.sockets = []

    def peer(self, family):
        while True:
            networks = self.example.networks[family]
            found = near(self.dice, self.dice.choice(networks)) if networks and self.dice.random() < 0.85 \
                else self.dice.choice(ELSEWHERE[family])
            box = ipaddress.ip_address(found) in ipaddress.ip_network(
                "172.20.5.0/24" if family == 4 else "fd00:5::/64")
            if not is_odd(found) and not box and found not in HOST.values():
                return found

    def service(self):
        proto = self.dice.choice((6, 6, 6, 6, 17, 17, 1, 132, 47))
        port = self.dice.choice(self.example.ports) + self.dice.choice((0, 0, 0, 0, -1, 1))
        return proto, min(max(port, 1), 65535)

    def body(self, proto, src, dst, sport, port):
        family = 6 if ":" in src else 4
        if proto == 6:
            return packets.tcp(src, dst, sport, port)
        if proto == 17:
            return packets.udp(src, dst, sport, port, b"asks")
        if proto == 132:
            return packets.sctp_init(sport, port)
        if proto == 1:
            rest = struct.pack("!HH", sport, 1)
            return packets.icmp(8, 0, rest, b"ping" * 3) if family == 4 else \
                packets.icmp6(src, dst, 128, 0, rest, b"ping" * 3)
        return b"\0\0\x88\x0b" + bytes(12)

    def spared(self, source, port):
        """Not so often that a limit decides."""
        if port not in self.example.limited:
            return True
        self.asked[source] = self.asked.get(source, 0) + 1
        return self.asked[source] <= self.example.often

    def packet(self, src, dst):
        proto, port = self.service()
        family = 6 if ":" in src else 4
        body = self.body(proto, src, dst, next(self.ports), port)
        label = next(self.labels)
        number = 58 if proto == 1 and family == 6 else proto
        return label, labelled(packets.ip(src, dst, number, body), label), port

    def enter(self):
        family = self.dice.choice(tuple(self.example.text))
        src = self.peer(family)
        label, packet, port = self.packet(src, HOST[family])
        if not self.spared(src, port):
            return None
        return arrival(label, [packets.ethernet(HOST_MAC, SENDER_MAC, packet)])

    def through(self):
        family, way = self.dice.choice(tuple(self.example.text)), self.dice.choice((TO_BOX, FROM_BOX))
        ends = (self.peer(family), BOX[family])
        src, dst = ends if way == TO_BOX else ends[::-1]
        label, packet, _ = self.packet(src, dst)
        macs = (HOST_MAC, SENDER_MAC) if way == TO_BOX else (INSIDE_MAC, BOX_MAC)
        return Step(way, lambda side: [packets.ethernet(*macs, packet)],
                    lambda p: p.label == label and p.dst == dst)

    def leave(self):
        family, proto = self.dice.choice(tuple(self.example.text)), self.dice.choice((6, 17))
        dst, port = self.peer(family), self.service()[1]
        sport, uid = next(self.ports), self.dice.choice(self.example.users)
        kind = socket.SOCK_STREAM if proto == 6 else socket.SOCK_DGRAM
        pair = {}
        for side in self.ground.sides:
            sock = side.makers[UNITS[0]].socket(FAMILY[family], kind, 0, uid)
            sock.setblocking(False)
            sock.bind((HOST[family], sport))
            self.sockets.append(sock)
            pair[side.name] = sock
        act = (lambda side: pair[side.name].connect((dst, port))) if proto == 6 else \
            (lambda side: pair[side.name].sendto(b"asks", (dst, port)))
        return departure(act, lambda p: p.proto == proto and p.sport == sport and p.dst == dst, f"user {uid}")

    def flood(self, source, port, number):
        """Steps of one source that asks that often at once."""
        made = []
        for _ in range(number):
            label = next(self.labels)
            packet = labelled(packets.ip(source, HOST[4], 6, packets.tcp(source, HOST[4], next(self.ports), port)), label)
            made.append(arrival(label, [packets.ethernet(HOST_MAC, SENDER_MAC, packet)]))
        return made

    def close(self):
        for sock in self.sockets:
            sock.close()
        self.sockets.clear()


def stand(ground, example, policy):
    """Returns when both walls stand, with no flow of before."""
    ground.lower_walls()
    ground.guard.start(ground.guard.write_policy(policy))
    for family in example.text if example.kind != "nft" else ():
        tool = "iptables-legacy-restore" if family == 4 else "ip6tables-legacy-restore"
        run(ground.b.host.command([tool]), example.rules(family))
        if "*nat" in example.text[family]:  # NAT is netfilter's on both
            run(ground.a.host.command([tool]), example.text[family].partition("*filter")[0])
    if example.kind == "nft":
        run(ground.b.host.command(["nft", "-j", "-f", "-"]), example.text[4])
    ground.style = "nft" if example.kind == "nft" else "iptables-legacy"
    for side in ground.sides:
        with ground.within(side.host):
            forget_flows()
        side.take()
        side.clear()


def fall(ground, example):
    ground.lower_walls()
    for side in ground.sides:
        for family in example.text:
            if "*nat" in example.text[family]:
                run(side.host.command(["iptables-legacy-restore"]), "*nat\nCOMMIT\n")


def verdict_of(outcome):
    return f"imported {'passes' if outcome.passed('a') else 'drops'}, source " \
        f"{'passes' if outcome.passed('b') else 'drops'}: {outcome.step.way} {outcome.packet} {outcome.step.note}"


def compare(ground, example, policy, seed, number):
    """(texts of differences, how many both let pass, how many both drop)."""
    stand(ground, example, policy)
    tries = Tries(ground, random.Random(f"{seed}-{example.name}"), example)
    wrong, passed, dropped = [], 0, 0
    listening = []
    try:
        for side, port in itertools.product(ground.sides, example.limited):
            sock = side.makers[UNITS[0]].socket(FAMILY[4], socket.SOCK_STREAM)
            listening.append(sock)  # where nobody listens no connections are counted
            sock.bind((HOST[4], port))
            sock.listen(128)
        with ground.on_one_cpu():
            left = number
            while left > 0:
                steps = [tries.dice.choice((tries.enter, tries.enter, tries.leave, tries.through))()
                         for _ in range(min(BATCH, left))]
                left -= len(steps)
                for outcome in run_batch(ground, [s for s in steps if s], lambda o: o.alike):
                    passed += outcome.both
                    dropped += not outcome.passed("a") and not outcome.passed("b")
                    if outcome.passed("a") != outcome.passed("b") and not example.is_unanswered(outcome):
                        wrong.append(verdict_of(outcome))
                tries.close()
    finally:
        tries.close()
        for sock in listening:
            sock.close()
    return wrong, passed, dropped


def compare_all(ground, board, binary, seed, number):
    for name in sorted(os.listdir(EXAMPLES)):
        if not name.endswith((".iptables", ".ufw", ".nft.json")):
            continue
        example = Example(name)
        policy = example.policy(ground, binary)
        wrong, passed, dropped = compare(ground, example, policy, seed, number)
        board.end(f"{name} as imported lets through what it does itself: {passed} passed, "
                  f"{dropped} dropped by both", not wrong and passed > 9 and dropped > 9, "\n".join(wrong[:SHOWN]))
        if 11434 in example.limited and "hashlimit" in example.text[4]:
            with ground.on_one_cpu():
                outcomes = run_batch(ground, Tries(ground, random.Random(seed), example).flood(
                    "10.0.9.9", 11434, 40), lambda o: True)
            counts = [sum(o.passed(side) for o in outcomes) for side in "ab"]
            board.end(f"{name} as imported limits as it does itself: {counts}",
                      counts[0] in range(20, 23) and counts[0] <= counts[1] + 1)
        if example.kind == "ufw":
            with ground.on_one_cpu():
                outcomes = run_batch(ground, Tries(ground, random.Random(seed), example).flood(
                    "10.0.0.77", 22, 12), lambda o: True)
            counts = [sum(o.passed(side) for o in outcomes) for side in "ab"]
            board.end(f"{name} as imported limits as it does itself: {counts}", counts == [5, 5])
        # The proof of the proof: without its deny rules and exceptions, it differs.
        changed = re.sub(r'direction = "ingress"', 'direction = "egress"', policy) \
            .replace("ports = [22]", "ports = [2222]").replace('proto = "any"', 'proto = "tcp"') \
            .replace('to = ["169.254.169.254"]', 'to = ["169.254.169.253"]')
        changed = re.sub(r'(direction = "egress"\n)from', r"\1to", changed)
        # A rule that few packets ask may be missed by as many as the dice give once.
        noticed = any(compare(ground, example, changed, f"{seed}-{turn}", number)[0]
                      for turn in range(6))
        board.end(f"a policy that differs from {name} is seen to differ", noticed)
        fall(ground, example)

# SPDX-License-Identifier: Apache-2.0
"""Random policies, as a model that two writers read: TOML here, rule sets in rulesets.py.

Networks and ports come from short lists on purpose: random ones would never meet.
"""
import ipaddress
from dataclasses import dataclass, field

NETWORKS = [ipaddress.ip_network(n) for n in (
    "0.0.0.0/0", "10.2.0.0/15", "10.2.0.0/16", "10.2.3.0/24", "10.2.3.128/25", "10.2.3.77/32",
    "10.1.0.0/24", "128.0.0.0/1", "192.0.2.0/24", "198.51.100.7/32",
    "::/0", "fd00:2::/31", "fd00:2::/32", "fd00:2:0:1::/64", "fd00:2:0:1:8000::/65",
    "fd00:2:0:1::5/128", "fd00:1::/64", "8000::/1", "2001:db8::/32", "2001:db8:ffff::9/128",
    "fe80::/10")]
PORTS = (1, 21, 22, 23, 53, 80, 81, 443, 1024, 8000, 8005, 8010, 65534, 65535)
NAMED = {"tcp": 6, "udp": 17, "udp-lite": 136, "sctp": 132}
# 0 is no protocol to iptables but "all"; those of extension headers match nothing.
NUMBERS = (1, 2, 4, 6, 17, 47, 50, 58, 89, 132, 136, 255)
TYPES = (0, 3, 8, 9, 11, 13, 15, 128, 129, 133, 135, 150)
ECHO = {4: 8, 6: 128}
USERS = (1001, 1002)
SLICE = "system.slice"
UNITS = ("twin.service", "other.service")   # whose processes a host has


@dataclass
class Part:
    """A set of networks but for others."""
    networks: list
    excepts: list = field(default_factory=list)

    def holds(self, address):
        return any(address in n for n in self.networks) and not any(address in n for n in self.excepts)


@dataclass
class Zone:
    name: str
    networks: list
    zones: list      # of Zone
    excepts: list    # networks

    def parts(self):
        nested = [p for z in self.zones for p in z.parts()]
        return [Part(self.networks, self.excepts)] + [Part(p.networks, p.excepts + self.excepts)
                                                      for p in nested]

    def toml(self):
        if not self.zones and not self.excepts:
            return f"{self.name} = {listed(self.networks)}"
        return (f"{self.name} = {{ networks = {listed(self.networks)}, "
                f"zones = {listed(z.name for z in self.zones)}, except = {listed(self.excepts)} }}")


def parts_of(peers):
    """None for any."""
    if peers in (None, ["any"]):
        return None
    return [part for p in peers for part in (p.parts() if isinstance(p, Zone) else [Part([p])])]


@dataclass
class Rule:
    name: str
    direction: str          # "ingress", "egress", "forward"
    deny: bool
    peers: list             # zones and networks; None: any; of forward: who opens
    proto: object           # a name, a number, "any"; None: any (deny only)
    ports: list = field(default_factory=list)  # (low, high)
    types: list = field(default_factory=list)
    user: int = None        # of egress
    unit: str = None        # of egress
    as_cgroup: bool = False     # whether it is written as the path
    to: list = None         # of forward, as peers

    def parts(self):
        """None for any."""
        return parts_of(self.peers)

    def to_parts(self):
        return parts_of(self.to)

    def protocols(self):
        """Numbers that it names; None for any."""
        if self.proto in (None, "any"):
            return (6, 17, 136, 132) if self.ports else None
        if self.proto == "icmp":
            return (1, 58)
        return (NAMED.get(self.proto, self.proto),)

    def covers(self, address, proto, port, to=None):
        """`port` is an ICMP type where there are these; `to` is of forward rules."""
        for parts, end in ((self.parts(), address), (self.to_parts(), to)):
            if parts is not None and not any(p.holds(end) for p in parts):
                return False
        if self.protocols() is None:  # of ICMP an allow rule for "any" opens echo requests alone
            return self.deny or proto not in (1, 58) or port == ECHO[address.version]
        if proto not in self.protocols() or self.ports and (
                port is None or not any(a <= port <= b for a, b in self.ports)):
            return False
        types = self.types or [ECHO[address.version]] if self.proto == "icmp" else self.types
        return not types or port in types

    def toml(self, cgroup):
        kind = "deny" if self.deny else self.direction
        lines = [f"[[{kind}]]", f'name = "{self.name}"']
        if self.deny:
            lines.append(f'direction = "{self.direction}"')
        for key, peers in (("to" if self.direction == "egress" else "from", self.peers),
                           ("to", self.to)):
            if peers is not None:
                lines.append(f"{key} = " + listed(p.name if isinstance(p, Zone) else p for p in peers))
        if self.proto is not None:
            lines.append(f"proto = {self.proto}" if isinstance(self.proto, int) else
                         f'proto = "{self.proto}"')
        if self.ports:
            lines.append("ports = [" + ", ".join(str(a) if a == b else f'"{a}-{b}"'
                                                 for a, b in self.ports) + "]")
        if self.types:
            lines.append(f"types = {self.types}")
        if self.user is not None:
            lines.append(f"user = {self.user}")
        if self.unit is not None:
            lines.append(f'cgroup = "{cgroup}/{SLICE}/{self.unit}"' if self.as_cgroup else
                         f'unit = "{self.unit}"')
        return "\n".join(lines)


@dataclass
class Policy:
    zones: list
    rules: list
    ping: object            # None for nobody, "any", or a Zone
    switches: dict          # of [essentials]: name -> value
    guarded: tuple = ("eth0",)
    nat: object = None      # Nat, of both hosts; no part of the policy

    def toml(self, cgroup):
        ping = "none" if self.ping is None else self.ping if self.ping == "any" else self.ping.name
        switches = "\n".join(f"{key} = " + (str(value).lower() if isinstance(value, bool) else
                                            f'"{value}"') for key, value in self.switches.items())
        return "\n".join(
            ['schema = 1', '[host]', f'interfaces = {listed(self.guarded)}', f'cgroup = "{cgroup}"',
             '[zones]']
            + [z.toml() for z in self.zones]
            + [r.toml(cgroup) for r in self.rules]
            + ['[essentials]', f'ping = "{ping}"', switches, '[events]', 'per-second = 1000000',
               'repeat = "1s"', ''])

    def of(self, direction):
        return [r for r in self.rules if r.direction == direction]

    def admits(self, direction, address, proto, port, to=None):
        """May this be opened, by the rules alone?"""
        address, to = ipaddress.ip_address(address), to and ipaddress.ip_address(to)
        found = {r.deny for r in self.of(direction) if r.covers(address, proto, port, to)}
        return found == {False}


def listed(values):
    return "[" + ", ".join(f'"{v}"' for v in values) + "]"


def some(dice, values, most):
    return dice.sample(values, dice.randint(1, most))


def random_zones(dice):
    zones = []
    for number in range(dice.randint(2, 4)):
        plain = [z for z in zones if dice.random() < 0.3]
        zones.append(Zone(f"zone{number}", some(dice, NETWORKS, 4), plain,
                          some(dice, NETWORKS[1:], 2) if dice.random() < 0.4 else []))
    return zones


def random_ports(dice):
    made = []
    for _ in range(dice.randint(1, 3)):
        low, high = sorted((dice.choice(PORTS), dice.choice(PORTS)))
        made.append((low, high) if dice.random() < 0.4 else (low, low))
    return made


def random_rule(dice, name, zones, directions=("ingress", "egress")):
    rule = Rule(name, dice.choice(directions), dice.random() < 0.25,
                [dice.choice(zones) if dice.random() < 0.6 else dice.choice(NETWORKS)
                 for _ in range(dice.randint(1, 2))],
                dice.choice(("tcp", "tcp", "udp", "udp", "icmp", "any", "sctp", "udp-lite")
                            + (dice.choice(NUMBERS),) * 2))
    if rule.deny and dice.random() < 0.3:
        rule.peers = None
    if rule.deny and dice.random() < 0.3:
        rule.proto = None
    protocols = rule.protocols()
    if rule.proto is None and dice.random() < 0.7 or \
            protocols and not set(protocols) - {6, 17, 132, 136} and dice.random() < 0.8:
        rule.ports = random_ports(dice)
    elif rule.proto in ("icmp", 1, 58) and dice.random() < 0.6:
        rule.types = sorted(some(dice, TYPES, 3))
    if rule.direction == "egress" and rule.proto in ("tcp", "udp") and dice.random() < 0.3:
        rule.user = dice.choice(USERS)
    if rule.direction == "egress" and rule.proto in ("tcp", "udp") and dice.random() < 0.3:
        rule.unit, rule.as_cgroup = dice.choice(UNITS), dice.random() < 0.5
    # Denying everybody everything leaves nothing to compare.
    if rule.deny and rule.peers is None and not rule.ports:
        rule.peers = [dice.choice(NETWORKS[1:10])]
    return rule


def random_policy(dice):
    zones = random_zones(dice)
    rules = [random_rule(dice, f"rule {n}", zones) for n in range(dice.randint(5, 12))]
    # With neither way open the rest would be silence; with all ports of the host open
    # to all, whatever it sends by UDP would pass for an answer.
    for direction in ("ingress", "egress"):
        for proto in ("tcp", "udp"):
            last = 65535 if proto == "tcp" and dice.random() < 0.3 else 19999
            rules.append(Rule(f"open {direction} {proto}", direction, False, some(dice, NETWORKS, 5),
                              proto, [(1, last)]))
    if dice.random() < 0.3:
        rules.append(Rule("clock asked", "ingress", False, ["any"], 1, [], [13, 15]))
        if dice.random() < 0.5:
            rules.append(Rule("clocks", "egress", False, ["any"], 1, [], [13, 14]))
    ping = dice.choice((None, "any", dice.choice(zones)))
    switches = {"dhcp-client": dice.random() < 0.7, "icmp-errors": dice.random() < 0.7,
                "redirects": dice.random() < 0.3,
                "ip-options": "judge" if dice.random() < 0.3 else "drop",
                "fragments": "track" if dice.random() < 0.4 else "drop"}
    return Policy(zones, rules, ping, switches)


def edge_of(dice, network):
    """First, last, one beyond either, or anything within."""
    first, last = int(network.network_address), int(network.broadcast_address)
    at = dice.choice((first, last, first - 1, last + 1, dice.randint(first, last)))
    made = network.network_address.__class__
    return made(min(max(at, 0), 2 ** network.max_prefixlen - 1))


def networks_of(parts, family):
    return [n for p in parts or [] for n in p.networks + p.excepts if n.version == family]


def aimed(dice, policy, direction, family):
    """(rule, peer address, protocol number, port or type) near a rule of that direction."""
    rule = dice.choice(policy.of(direction))
    networks = networks_of(rule.parts(), family)
    peer = edge_of(dice, dice.choice(networks or [n for n in NETWORKS if n.version == family]))
    return (rule, str(peer)) + service_near(dice, rule, family)


def service_near(dice, rule, family):
    """(protocol number, port or type) near the rule's."""
    if any(m is None for m in (rule.protocols(),)) or dice.random() < 0.1:
        proto = dice.choice((6, 6, 6, 17, 17, 1 if family == 4 else 58, 132, 136, dice.choice(NUMBERS)))
    else:
        proto = dice.choice(rule.protocols())
        if proto in (1, 58) and dice.random() < 0.9:
            proto = 1 if family == 4 else 58
    if proto in (1, 58):
        port = dice.choice(rule.types or [ECHO[family]]) if dice.random() < 0.7 else dice.choice(TYPES)
    elif rule.ports and dice.random() < 0.8:
        low, high = dice.choice(rule.ports)
        port = min(max(dice.choice((low, high, low - 1, high + 1)), 1), 65535)
    else:
        port = dice.choice(PORTS)
    return proto, port

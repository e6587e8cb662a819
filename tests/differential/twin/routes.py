# SPDX-License-Identifier: Apache-2.0
"""What the hosts route: the box behind them, forward rules at random, and NAT.

The NAT is netfilter's, the same on both hosts: Sallyport has none.
"""
import ipaddress
from dataclasses import dataclass, field

from policies import NETWORKS, Policy, Rule, edge_of, networks_of, random_policy, random_rule, \
    service_near, some

BOX_NETWORK = {4: ipaddress.ip_network("172.20.5.0/24"), 6: ipaddress.ip_network("fd00:5::/64")}
BOX_NETWORKS = [ipaddress.ip_network(n) for n in (
    "172.20.5.0/24", "172.20.5.0/25", "172.20.5.8/32",
    "fd00:5::/64", "fd00:5::/65", "fd00:5::8/128")]
BOX = {4: "172.20.5.8", 6: "fd00:5::8"}
INSIDE = {4: "172.20.5.1", 6: "fd00:5::1"}      # the host's own address towards it
INSIDE_MAC, BOX_MAC = "02:00:00:00:0b:01", "02:00:00:00:0b:02"
PUBLISHED = {("tcp", 80): 80, ("tcp", 8000): 8080, ("udp", 53): 5353, ("udp", 443): 443}


@dataclass
class Nat:
    """`masquerade` of what the box opens; `published`: (protocol, the host's port) -> the box's."""
    masquerade: bool = False
    published: dict = field(default_factory=dict)

    def script(self, outside, host):
        """A table of nft, for the NIC `outside` and the host's addresses."""
        out = ["table inet twin_nat", "delete table inet twin_nat", "table inet twin_nat {",
               " chain entering { type nat hook prerouting priority dstnat; policy accept;"]
        for (proto, port), inner in self.published.items():
            out += [f'  iifname "{outside}" {ip} daddr {host[f]} {proto} dport {port} '
                    f"dnat {ip} to {bracketed(BOX[f])}:{inner}" for f, ip in ((4, "ip"), (6, "ip6"))]
        out += [" }", " chain leaving { type nat hook postrouting priority srcnat; policy accept;"]
        if self.masquerade:
            out += [f'  oifname "{outside}" {ip} saddr {BOX_NETWORK[f]} masquerade'
                    for f, ip in ((4, "ip"), (6, "ip6"))]
        return "\n".join(out + [" }", "}", ""])


def bracketed(address):
    return f"[{address}]" if ":" in address else address


NATS = (None, Nat(masquerade=True), None, Nat(published=PUBLISHED))


def random_forward(dice, number, zones):
    rule = random_rule(dice, f"route {number}", zones, ("forward",))
    inside = some(dice, BOX_NETWORKS, 2) if dice.random() < 0.85 else ["any"]
    rule.peers, rule.to = (inside, rule.peers) if dice.random() < 0.5 else (rule.peers, inside)
    if not rule.deny:  # there `from` and `to` must be said
        rule.peers, rule.to = rule.peers or ["any"], rule.to or ["any"]
    return rule


def routing_policy(dice, number):
    """A random policy that routes too; `number` is that of the round, and says which NAT there is."""
    policy = random_policy(dice)
    rules = [random_forward(dice, n, policy.zones) for n in range(dice.randint(3, 6))]
    for proto in ("tcp", "udp"):
        outside, inside = some(dice, NETWORKS, 5), some(dice, BOX_NETWORKS, 3)
        rules.append(Rule(f"to the box {proto}", "forward", False, outside, proto, [(1, 9999)], to=inside))
        outside, inside = some(dice, NETWORKS, 5), some(dice, BOX_NETWORKS, 3)
        rules.append(Rule(f"from the box {proto}", "forward", False, inside, proto, [(1, 19999)], to=outside))
    if dice.random() < 0.3:
        rules.append(Rule("clock through", "forward", False, ["any"], 1, [], [13], to=["any"]))
    guarded = ("eth0", "box0") if dice.random() < 0.4 else ("eth0",)
    return Policy(policy.zones, policy.rules + rules, policy.ping, policy.switches, guarded,
                  NATS[number % len(NATS)])


def is_box(address):
    address = ipaddress.ip_address(address)
    return address in BOX_NETWORK[address.version]


def aimed_through(dice, policy, family, is_outside):
    """(address outside, the box's, protocol number, port or type) near a forward rule."""
    rule = dice.choice(policy.of("forward"))
    named = networks_of(rule.parts(), family) + networks_of(rule.to_parts(), family)
    inner = [n for n in named if n.subnet_of(BOX_NETWORK[family])]
    outer = [n for n in named if n not in inner] or [n for n in NETWORKS if n.version == family]
    while True:
        outside = str(edge_of(dice, dice.choice(outer)))
        if is_outside(outside) and not is_box(outside):
            break
        outer = outer + [n for n in NETWORKS if n.version == family]
    box = str(edge_of(dice, dice.choice(inner))) if inner and dice.random() < 0.8 else BOX[family]
    if not is_box(box) or box == INSIDE[family]:
        box = BOX[family]
    return (outside, box) + service_near(dice, rule, family)

# SPDX-License-Identifier: Apache-2.0
"""The policy as the rules that people write: for nft, and for iptables and ip6tables.

One list of chains, spelled in two ways. Deny rules stand before allow rules,
conntrack's ESTABLISHED,RELATED before both, INVALID is dropped, and the rest
falls to the chain's policy, DROP. This knows the policy's words alone: nothing
here is taken from what Sallyport makes of them.
"""
from dataclasses import dataclass, field

from policies import ECHO, SLICE

LINK_LOCAL = "fe80::/10"
ACCEPT, DROP, RETURN = "accept", "drop", "return"


@dataclass
class Line:
    verdict: str                # or the name of a chain
    family: int = None          # None: both
    match: dict = field(default_factory=dict)


def line(verdict, family=None, **match):
    for key in ("src", "dst"):
        if key in match:
            family = 6 if ":" in str(match[key]) else 4
    return Line(verdict, family, match)


def peers_chain(chains, name, rule_parts, side, target):
    """A chain a part, where what is excepted returns before the rest is judged."""
    calls = []
    for number, part in enumerate(rule_parts):
        inner = f"{name}p{number}"
        chains[inner] = [line(RETURN, **{side: n}) for n in part.excepts]
        chains[inner] += [line(target, **{side: n}) for n in part.networks]
        calls.append(line(inner))
    return calls


def service_lines(rule, verdict, ports="dports"):
    """`ports`: what the rule's ports are matched with, "dports" or "asked", those before a DNAT."""
    if rule.protocols() is None and verdict == DROP:
        return [line(verdict)]
    if rule.protocols() is None:  # "any" opens echo requests, and no other ICMP
        return ([line(verdict, f, icmp=(ECHO[f], None)) for f in (4, 6)]
                + [line(RETURN, proto=p) for p in (1, 58)] + [line(verdict)])
    if rule.proto in ("icmp", 1, 58) and (rule.types or rule.proto == "icmp"):
        families = {"icmp": (4, 6), 1: (4,), 58: (6,)}[rule.proto]
        return [line(verdict, f, icmp=(t, None)) for f in families for t in rule.types or [ECHO[f]]]
    more = {key: value for key, value in (("user", rule.user), ("unit", rule.unit))
            if value is not None}
    if ports == "asked":  # iptables takes one range at a time
        return [line(verdict, proto=p, **({ports: r} if r else {}))
                for p in rule.protocols() for r in rule.ports or [None]]
    if rule.ports:
        more[ports] = rule.ports
    return [line(verdict, proto=p, **more) for p in rule.protocols()]


def ends_lines(chains, name, lines, ends):
    """The lines, for those at the ends alone: (side, parts or None for any)."""
    if RETURN in (made.verdict for made in lines):
        chains[name] = lines
        lines = [line(name)]
    for side, parts in ends:
        if parts is not None:
            chains[f"{name}{side}s"] = lines
            lines = peers_chain(chains, f"{name}{side}", parts, side, f"{name}{side}s")
    return lines


def rule_lines(chains, rules, kind, ports="dports"):
    """One call a rule, in an order that does not matter among those of one kind."""
    lines = []
    for deny in (True, False):
        for number, rule in enumerate(r for r in rules if r.deny == deny):
            first = "dst" if rule.direction == "egress" else "src"
            lines += ends_lines(chains, f"{kind}{'d' if deny else 'a'}{number}",
                                service_lines(rule, DROP if deny else ACCEPT, ports),
                                (("dst", rule.to_parts()), (first, rule.parts())))
    return lines


def neighbour_lines(verdict):
    """RFC 4861: hop limit 255 and code 0; advertisements of routers from link-local addresses."""
    lines = [line(verdict, 6, icmp=(t, 0), hops=255) for t in (133, 135, 136)]
    return lines + [line(verdict, icmp=(134, 0), hops=255, src=LINK_LOCAL)]


def group_lines(verdict):
    """MLD and IGMP, which never cross a router."""
    lines = [line(verdict, icmp=(t, None), hops=1, src=source)
             for t in (130, 131, 132, 143) for source in (LINK_LOCAL, "::/128")]
    return lines + [line(verdict, proto=2, hops=1, dst="224.0.0.0/4")]


def redirect_lines(on):
    lines = []
    if on:
        lines += [line(ACCEPT, 4, icmp=(5, None)), line(ACCEPT, icmp=(137, 0), hops=255, src=LINK_LOCAL)]
    return lines + [line(DROP, 4, icmp=(5, None)), line(DROP, 6, icmp=(137, None))]


def error_lines(on):
    """What quotes a flow is RELATED; no rule of the policy lets another error in."""
    types = [(4, t) for t in (3, 11, 12)] + [(6, t) for t in (1, 2, 3, 4)]
    return ([line(ACCEPT, f, icmp=(t, None), state="related") for f, t in types if on]
            + [line(DROP, f, icmp=(t, None)) for f, t in types])


def input_lines(chains, policy):
    lines = [line(ACCEPT, iif="lo"), line(DROP, state="invalid")]
    lines += redirect_lines(policy.switches["redirects"])
    lines += neighbour_lines(ACCEPT) + [line(DROP, 6, icmp=(t, None)) for t in (133, 134, 135, 136)]
    lines += group_lines(ACCEPT) + [line(DROP, 6, icmp=(t, None)) for t in (130, 131, 132, 143)]
    lines += error_lines(policy.switches["icmp-errors"])
    if policy.switches["dhcp-client"]:
        lines += [line(ACCEPT, 4, proto=17, sport=67, dports=[(68, 68)]),
                  line(ACCEPT, proto=17, sport=547, dports=[(546, 546)], src=LINK_LOCAL)]
    lines.append(line(ACCEPT, state="established,related"))
    echo = [line(ACCEPT, f, icmp=(ECHO[f], None)) for f in (4, 6)]
    if policy.ping == "any":
        lines += echo
    elif policy.ping is not None:
        chains["ping"] = echo
        lines += peers_chain(chains, "pinger", policy.ping.parts(), "src", "ping")
    return lines + rule_lines(chains, policy.of("ingress"), "in")


def output_lines(chains, policy):
    lines = [line(ACCEPT, oif="lo"), line(DROP, state="invalid")]
    # The kernel answers its neighbours; a process may use no more of it than the link.
    lines += [line(ACCEPT, 6, icmp=(t, 0), hops=255) for t in (133, 135, 136)]
    lines += group_lines(ACCEPT)
    if policy.switches["dhcp-client"]:
        lines += [line(ACCEPT, 4, proto=17, sport=68, dports=[(67, 67)])]
        lines += [line(ACCEPT, proto=17, sport=546, dports=[(547, 547)], dst=d)
                  for d in (LINK_LOCAL, "ff01::/16", "ff02::/16")]
    lines.append(line(ACCEPT, state="established,related"))
    return lines + rule_lines(chains, policy.of("egress"), "out")


def forward_lines(chains, policy):
    """What is published is a matter of the ingress rules, by the port that was asked for."""
    lines = [line(DROP, state="invalid")] + redirect_lines(policy.switches["redirects"])
    lines += [line(DROP, 6, icmp=(t, None)) for t in (130, 131, 132, 133, 134, 135, 136, 143)]
    published = policy.nat is not None and policy.nat.published
    if published:  # what the box says to questions is as if the host had said it
        lines.append(line(ACCEPT, iif="box0", status="dnat", state="related"))
    lines += error_lines(policy.switches["icmp-errors"])
    lines.append(line(ACCEPT, state="established,related"))
    if published:
        chains["published"] = rule_lines(chains, policy.of("ingress"), "pub", "asked") + [line(DROP)]
        lines.append(line("published", status="dnat"))
    return lines + rule_lines(chains, policy.of("forward"), "fwd")


def ruleset(policy):
    """{chain: [Line]}, a chain after those it calls."""
    chains = {}
    hooks = {"input": input_lines(chains, policy), "output": output_lines(chains, policy)}
    if policy.of("forward"):
        hooks["forward"] = forward_lines(chains, policy)
    return {**chains, **hooks}


# ---- spelled for nft --------------------------------------------------------------

def cgroup_of(unit, within):
    """From the root of cgroup2, as both tools want it."""
    return f"{within}/{SLICE}/{unit}".lstrip("/")


def nft_match(rule, within):
    words, m = [], rule.match
    for key, word in (("iif", "iifname"), ("oif", "oifname")):
        if key in m:
            words.append(f'{word} "{m[key]}"')
    ip = "ip6" if rule.family == 6 else "ip"
    if rule.family is not None:
        words.append(f"meta nfproto ipv{rule.family}")
    for key, word in (("src", "saddr"), ("dst", "daddr")):
        if key in m and not str(m[key]).endswith("/0"):
            words.append(f"{ip} {word} {m[key]}")
    if "proto" in m:
        words.append(f"meta l4proto {m['proto']}")
    if "icmp" in m:
        kind, code = m["icmp"]
        name = "icmpv6" if rule.family == 6 else "icmp"
        words.append(f"{name} type {kind}" + ("" if code is None else f" {name} code {code}"))
    if "sport" in m:
        words.append(f"th sport {m['sport']}")
    if "dports" in m:
        words.append("th dport { " + ", ".join(f"{a}-{b}" if a != b else str(a)
                                               for a, b in merged(m["dports"])) + " }")
    if "asked" in m:
        words.append("ct original proto-dst {}-{}".format(*m["asked"]))
    if "user" in m:
        words.append(f"meta skuid {m['user']}")
    if "unit" in m:
        path = cgroup_of(m["unit"], within)
        words.append(f'socket cgroupv2 level {path.count("/") + 1} "{path}"')
    if "hops" in m:
        words.append(f"ip6 hoplimit {m['hops']}" if rule.family == 6 else f"ip ttl {m['hops']}")
    if "state" in m:
        words.append(f"ct state {m['state']}")
    if "status" in m:
        words.append(f"ct status {m['status']}")
    return " ".join(words)


def merged(ranges):
    """nft wants the ranges of a set apart."""
    out = []
    for low, high in sorted(ranges):
        if out and low <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(out[-1][1], high))
        else:
            out.append((low, high))
    return out


def nft_script(policy, within):
    """`within`: the cgroup that holds the slice with the host's units."""
    hooks = {"input": "type filter hook input priority 0; policy drop;",
             "output": "type filter hook output priority 0; policy drop;",
             "forward": "type filter hook forward priority 0; policy drop;"}
    out = ["table inet wall", "delete table inet wall", "table inet wall {"]
    for name, lines in ruleset(policy).items():
        out.append(f" chain {name} {{")
        if name in hooks:
            out.append("  " + hooks[name])
        for rule in lines:
            verdict = rule.verdict if rule.verdict in (ACCEPT, DROP, RETURN) else f"jump {rule.verdict}"
            out.append(f"  {nft_match(rule, within)} {verdict}")
        out.append(" }")
    return "\n".join(out + ["}", ""])


# ---- spelled for iptables and ip6tables ---------------------------------------------

def iptables_match(rule, family, within):
    words, m = [], rule.match
    for key, word in (("iif", "-i"), ("oif", "-o"), ("src", "-s"), ("dst", "-d"), ("proto", "-p")):
        if key in m:
            words.append(f"{word} {m[key]}")
    if "icmp" in m:
        kind, code = m["icmp"]
        name = "icmpv6" if family == 6 else "icmp"
        words.append(f"-p {name} -m {'icmp6' if family == 6 else 'icmp'} --{name}-type {kind}"
                     + ("" if code is None else f"/{code}"))
    if "sport" in m:
        words.append(f"-m udp --sport {m['sport']}")
    if "dports" in m:
        words.append("-m multiport --dports " + ",".join(f"{a}:{b}" if a != b else str(a)
                                                         for a, b in m["dports"]))
    if "asked" in m:
        words.append("-m conntrack --ctorigdstport {}:{}".format(*m["asked"]))
    if "user" in m:
        words.append(f"-m owner --uid-owner {m['user']}")
    if "unit" in m:
        words.append(f"-m cgroup --path {cgroup_of(m['unit'], within)}")
    if "hops" in m:
        words.append(f"-m hl --hl-eq {m['hops']}" if family == 6 else f"-m ttl --ttl-eq {m['hops']}")
    if "state" in m:
        words.append(f"-m conntrack --ctstate {m['state'].upper()}")
    if "status" in m:
        words.append(f"-m conntrack --ctstate {m['status'].upper()}")
    return " ".join(words)


def iptables_script(policy, family, within):
    """For iptables-restore (4) or ip6tables-restore (6); `within` as for nft."""
    chains = ruleset(policy)
    names = {"input": "INPUT", "output": "OUTPUT", "forward": "FORWARD"}
    out = ["*filter", ":INPUT DROP", ":FORWARD DROP", ":OUTPUT DROP"]
    out += [f":{name} -" for name in chains if name not in names]
    for name, lines in chains.items():
        for rule in lines:
            if rule.family not in (None, family):
                continue
            verdict = rule.verdict.upper() if rule.verdict in (ACCEPT, DROP, RETURN) else rule.verdict
            out.append(f"-A {names.get(name, name)} {iptables_match(rule, family, within)} -j {verdict}")
    return "\n".join(out + ["COMMIT", ""])

# SPDX-License-Identifier: Apache-2.0
"""The chains that ufw 0.36 loads around its user.rules, for iptables-restore.

ufw itself is not needed: what it does is to load before.rules, the user's and
after.rules, one behind the other, into chains that INPUT, OUTPUT and FORWARD call. Here is
what they say of a packet, but for their logs, which decide nothing. It is written from
ufw's files, not from what `sallyport import` takes them to be.
"""
import re

WAYS = (("input", "INPUT"), ("output", "OUTPUT"), ("forward", "FORWARD"))
ERRORS = {4: ("destination-unreachable", "time-exceeded", "parameter-problem"),
          6: ("destination-unreachable", "packet-too-big", "time-exceeded", "parameter-problem")}
ICMP = {4: "-p icmp --icmp-type", 6: "-p ipv6-icmp --icmpv6-type"}
NEIGHBOURS = ("router-solicitation", "router-advertisement",
              "neighbor-solicitation", "neighbor-advertisement")


def defaults(text):
    """{"INPUT": "DROP"...} as /etc/default/ufw has it; REJECT is a DROP that answers."""
    said = dict(re.findall(r'^DEFAULT_(INPUT|OUTPUT|FORWARD)_POLICY="?(\w+)', text, re.MULTILINE))
    own = {"INPUT": "DROP", "OUTPUT": "ACCEPT", "FORWARD": "DROP"}
    return {chain: "ACCEPT" if said.get(chain, own[chain]) == "ACCEPT" else "DROP" for chain in own}


def before(family, name):
    yield f"-A {name}-before-input -i lo -j ACCEPT"
    yield f"-A {name}-before-output -o lo -j ACCEPT"
    for way, _ in WAYS:
        yield f"-A {name}-before-{way} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
    yield f"-A {name}-before-input -m conntrack --ctstate INVALID -j DROP"
    for kind in (*ERRORS[family], "echo-request"):
        for way in ("input", "forward"):
            yield f"-A {name}-before-{way} {ICMP[family]} {kind} -j ACCEPT"
    if family == 6:
        for kind in NEIGHBOURS:
            for way in ("input", "output"):
                yield f"-A {name}-before-{way} {ICMP[6]} {kind} -m hl --hl-eq 255 -j ACCEPT"
        yield f"-A {name}-before-input -p udp -s fe80::/10 --sport 547 -d fe80::/10 --dport 546 -j ACCEPT"
        yield f"-A {name}-before-input -p udp -d ff02::fb --dport 5353 -j ACCEPT"
        yield f"-A {name}-before-input -p udp -d ff02::f --dport 1900 -j ACCEPT"
        return
    yield f"-A {name}-before-input -p udp --sport 67 --dport 68 -j ACCEPT"
    yield f"-A {name}-before-input -j {name}-not-local"
    for kind in ("LOCAL", "MULTICAST", "BROADCAST"):
        yield f"-A {name}-not-local -m addrtype --dst-type {kind} -j RETURN"
    yield f"-A {name}-not-local -j DROP"
    yield f"-A {name}-before-input -p udp -d 224.0.0.251 --dport 5353 -j ACCEPT"
    yield f"-A {name}-before-input -p udp -d 239.255.255.250 --dport 1900 -j ACCEPT"


def after(name, policies):
    """Noise goes to the policy without a log; what a policy accepts is tracked."""
    for proto, port in (("udp", 137), ("udp", 138), ("tcp", 139), ("tcp", 445), ("udp", 67), ("udp", 68)):
        yield f"-A {name}-after-input -p {proto} --dport {port} -j {policies['INPUT']}"
    for way, chain in WAYS:
        if policies[chain] == "ACCEPT":
            for proto in ("tcp", "udp"):
                yield f"-A {name}-track-{way} -p {proto} -m conntrack --ctstate NEW -j ACCEPT"


def whole(user, family, policies):
    """All that iptables-restore is to load, around the text of a user.rules."""
    name = "ufw" if family == 4 else "ufw6"
    declared = re.findall(r"^:(\S+)", user, re.MULTILINE)
    own = [f"{name}-{part}-{way}" for part in ("before", "user", "after", "track") for way, _ in WAYS] \
        + [f"{name}-not-local"]
    lines = ["*filter", *(f":{chain} {policy} [0:0]" for chain, policy in policies.items()),
             *(f":{chain} - [0:0]" for chain in dict.fromkeys(own + declared))]
    for way, chain in WAYS:
        lines += [f"-A {chain} -j {name}-{part}-{way}" for part in ("before", "after", "track")]
    lines += before(family, name)
    lines += [f"-A {name}-before-{way} -j {name}-user-{way}" for way, _ in WAYS]
    lines += [line for line in user.split("\n") if line.startswith("-A ")]
    lines += after(name, policies)
    return "\n".join(lines) + "\nCOMMIT\n"

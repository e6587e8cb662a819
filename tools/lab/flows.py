# SPDX-License-Identifier: Apache-2.0
"""What the quick start tries on the site, and what its policy should make of it."""
from dataclasses import dataclass, field

import packets
from local_ai_site import ADDRESS, METADATA, RESOLVER

# What the one who tries sees: an answer; silence; EPERM from the system call.
OPEN, DROPPED, REFUSED = "open", "dropped", "refused at once"
SEEN_AS = {"open": OPEN, "timeout": DROPPED, "eperm": REFUSED}


@dataclass
class Flow:
    what: str
    family: int
    actor: str          # "people/admin" or "services/rag"
    op: str
    arguments: dict
    expected: str
    reasons: tuple = ()  # any of these may be the event's; empty: no event is asked for
    event: str = "drop"
    facts: dict = field(default_factory=dict)  # what the event must say beside


@dataclass
class Chapter:
    title: str
    story: str
    flows: list


def in_tcp(what, who, family, port, expected, reasons=("no-rule",)):
    return Flow(what, family, f"people/{who}", "tcp", {"dst": ADDRESS["ai"][family], "port": port},
                expected, () if expected == OPEN else reasons,
                facts={"direction": "ingress", "src": ADDRESS[who][family], "dst_port": port})


def out_tcp(what, unit, family, dst, port, expected, exfil=False, reason="no-rule"):
    facts = {"direction": "egress", "dst": dst, "dst_port": port, "unit": f"{unit}.service"}
    if expected != OPEN:
        facts["exfil"] = exfil
    return Flow(what, family, f"services/{unit}", "tcp", {"dst": dst, "port": port}, expected,
                () if expected == OPEN else (reason,), facts=facts)


def coming_in(f):
    ssh = in_tcp("ssh from the admin station", "admin", f, 22, OPEN)
    ssh.event, ssh.reasons = "new", ("",)
    ssh.facts = {"src": ADDRESS["admin"][f], "dst_port": 22, "rule": "ssh"}
    return [
        ssh,
        in_tcp("ssh from the workstation", "workstation", f, 22, DROPPED),
        in_tcp("ssh from the internet", "internet", f, 22, DROPPED),
        in_tcp("Ollama from the workstation", "workstation", f, 11434, OPEN),
        in_tcp("Ollama from the internet", "internet", f, 11434, DROPPED),
        in_tcp("Ollama from the DMZ", "dmz", f, 11434, DROPPED),
        in_tcp("Ollama from the data host", "data", f, 11434, DROPPED, ("denied",)),
        in_tcp("web UI from the proxy", "proxy", f, 3000, OPEN),
        in_tcp("web UI from the workstation", "workstation", f, 3000, DROPPED),
        in_tcp("web UI from the internet", "internet", f, 3000, DROPPED),
    ]


def going_out(f):
    data, resolver = ADDRESS["data"][f], RESOLVER[f]
    return [
        out_tcp("PostgreSQL by rag.service", "rag", f, data, 5432, OPEN),
        out_tcp("PostgreSQL by ollama.service", "ollama", f, data, 5432, REFUSED),
        out_tcp("Redis by open-webui.service", "open-webui", f, data, 6379, OPEN),
        out_tcp("Redis by rag.service", "rag", f, data, 6379, REFUSED),
        Flow("DNS to the site's resolver", f, "services/rag", "udp",
             {"dst": resolver, "port": 53}, OPEN),
    ]


def carrying_away(f):
    outside = ADDRESS["internet"][f]
    bot = out_tcp("upload by \"model-payload\"", "ollama", f, outside, 443, REFUSED, exfil=True)
    bot.actor, bot.facts["comm"] = "services/model-payload", "model-payload"
    return [
        bot,
        out_tcp("cloud metadata by rag.service", "rag", f, METADATA[f], 80, REFUSED, exfil=True,
                reason="metadata"),
        Flow("DNS to a resolver outside", f, "services/rag", "udp", {"dst": outside, "port": 53},
             REFUSED, ("no-rule",),
             facts={"direction": "egress", "dst": outside, "dst_port": 53, "exfil": True}),
    ]


def on_the_edge(f):
    ai, workstation = ADDRESS["ai"][f], ADDRESS["workstation"][f]
    ack = packets.tcp(workstation, ai, 40001, 8443, "A", seq=7, ack=9).hex()
    return [
        Flow("ping from the workstation", f, "people/workstation", "ping", {"dst": ai}, OPEN),
        Flow("ping from the internet", f, "people/internet", "ping", {"dst": ai}, DROPPED,
             ("no-rule",), facts={"direction": "ingress", "src": ADDRESS["internet"][f]}),
        Flow("a stray ACK (scan)", f, "people/workstation", "stray",
             {"dst": ai, "proto": packets.TCP, "data": ack}, DROPPED, ("no-flow", "no-rule"),
             facts={"direction": "ingress", "src": workstation, "src_port": 40001}),
        Flow("UDP to a closed port", f, "people/workstation", "udp", {"dst": ai, "port": 1900},
             DROPPED, ("no-rule",),
             facts={"direction": "ingress", "src": workstation, "dst_port": 1900}),
    ]


def both(flows):
    return flows(4) + flows(6)


def chapters():
    return [
        Chapter("Who may come in",
                "Every machine can route to the AI host. The policy lets the admins use ssh, the\n"
                "internal network use Ollama, the proxy use the web UI, and nobody else anything.",
                both(coming_in)),
        Chapter("Who may go out",
                "Rules for the way out name a unit: the same port on the same data host is open\n"
                "to one service and closed to the next, which gets EPERM instead of a timeout.",
                both(going_out)),
        Chapter("Carrying data away",
                "A process in ollama.service calls itself \"model-payload\" and tries to upload to\n"
                "the internet. Watch for the event with its name, unit and exfil mark.",
                both(carrying_away)),
        Chapter("On the edge",
                "What scanners send, and what a host must still answer.", both(on_the_edge)),
    ]

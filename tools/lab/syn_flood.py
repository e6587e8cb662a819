# SPDX-License-Identifier: Apache-2.0
"""An act of the quick start: a flood of SYNs from forged addresses, and the clients meanwhile.

The flood forges addresses that the policy lets in, many more than the limits remember.
Beyond `limit-total` XDP answers each with a SYN cookie and keeps nothing of it; who
answers that is there, and is served.
"""
import statistics
import threading
import time

import packets
from flows import Flow
from local_ai_site import ADDRESS
from slow import patient

PORT = 11434
CLIENTS = ("workstation", "proxy")
EACH = 40          # connections of a client, in each family, before the flood and during it
AT_ONCE = 2000     # SYNs between two looks at whether to stop
SOURCES = 32768    # forged addresses of a family; an IPv6 one is of a /48 of its own
FORGED = {4: "10.0.128.0/17", 6: "fd00:10:8000::/33"}
SYSCTL = "net.ipv4.tcp_syncookies"
TITLE = "A SYN flood"
STORY = ("Somebody outside forges addresses of the internal network, which the router hands on,\n"
         "and floods Ollama with SYNs. The workstation and the proxy go on using it.")


class Flood:
    """SYNs of one family as fast as one process can, until the block is left."""

    def __init__(self, agent, gateway_mac, family):
        dst = ADDRESS["ai"][family]
        src = "10.0.0.0" if family == 4 else "fd00:10::1"
        syn = packets.tcp(src, dst, 40000, PORT, seq=0)
        # The number is the source's low half, or its third word; `balance` keeps the
        # checksums right: of the sequence number, and in IPv4 of the header's ident.
        if family == 4:
            packet = packets.ipv4(src, dst, packets.TCP, syn, ident=0)
            self.places = {"low": 14 + 14, "balance": [14 + 4, 14 + 20 + 6]}
        else:
            packet = packets.ipv6(src, dst, packets.TCP, syn)
            self.places = {"low": 14 + 12, "balance": [14 + 40 + 6]}
        self.frame = packets.ethernet(gateway_mac, "02:00:00:00:00:ff", packet).hex()
        self.agent = agent
        self.sent = 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        first = 0
        while not self.stop.is_set():
            self.sent += self.agent.call("flood", interface="eth0", frame=self.frame,
                                         count=AT_ONCE, first=SOURCES + first,
                                         **self.places)["count"]
            first = (first + AT_ONCE) % (SOURCES - AT_ONCE)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join(patient(20.0))


def prepare(site, say):
    """What the machines of the lab need for it; of this machine nothing is changed."""
    router, ai = site.hosts["router"], site.ai
    # What answers the forged ends here, in silence.
    router.route(*(f"blackhole {network}" for network in FORGED.values()))
    site.people["router"].call("pass_all", interface="to-ai")
    value = ai.run("sysctl", "-n", SYSCTL).strip()
    if value != "2":
        ai.run("sysctl", "-qw", f"{SYSCTL}=2")
        say(f"{SYSCTL} was {value} on the AI host: the kernel gives XDP its cookies at 2 only.\n"
            "Set to 2 there, in the lab's namespace; the policy does it by `sysctls = \"set\"`.")


def visits(site, family):
    """All clients at once; (asked, served, median ms)."""
    begun = [site.people[who].begin("visit", dst=ADDRESS["ai"][family], port=PORT, count=EACH,
                                    timeout=25.0) for who in CLIENTS]
    done = [site.people[who].finish(slot) for who, slot in zip(CLIENTS, begun)]
    took = [ms for one in done for ms in one["took"]]
    return (sum(one["asked"] for one in done), sum(one["served"] for one in done),
            statistics.median(took) if took else 0.0)


def told(count):
    asked, served, median = count
    return f"{served:,} of {asked:,} connections served, median {median:.1f} ms"


class Counters:
    """What the wall has counted of the rule, since `before`."""

    def __init__(self, guard):
        status = guard.status()
        rule = next(r for r in status["rules"] if r["name"] == "ollama")
        self.admitted, self.dropped = rule["admitted"], rule["limited"]
        self.answered, self.taken = status["cookies"]["sent"], status["cookies"]["taken"]


def under_flood(site, guard, flooder, family):
    """(what the clients got, SYNs sent, seconds, counters before, counters after)."""
    gateway = site.hosts["router"].ip_json("link", "show", "internet")[0]["address"]
    before, begun = Counters(guard), time.monotonic()
    with Flood(flooder, gateway, family) as flood:
        guard.wait_status(lambda s: s["cookies"]["sent"] > before.answered, patience=20.0)
        served = visits(site, family)
    return served, flood.sent, time.monotonic() - begun, before, Counters(guard)


def row(family, what, count):
    asked, served, median = count
    flow = Flow(what, family, "", "", {}, f"all {asked} served")
    all_of_them = f"all {asked} served" if served == asked else f"{served} of {asked} served"
    return flow, f"{all_of_them}, median {median:.1f} ms", served == asked


def play(site, guard, _, say):
    """The act; rows for the closing table."""
    prepare(site, say)
    calm = {family: visits(site, family) for family in (4, 6)}
    flooder = site.hosts["internet"].agent(name="flooder")
    rows = []
    for family in (4, 6):
        served, sent, took, before, after = under_flood(site, guard, flooder, family)
        answered, taken = after.answered - before.answered, after.taken - before.taken
        dropped, let_in = after.dropped - before.dropped, after.admitted - before.admitted
        say(f"  IPv{family}  before   {told(calm[family])}\n"
            f"        flood    {sent:,} SYNs from {min(sent, SOURCES):,} forged addresses "
            f"in {took:.1f} s\n"
            f"        wall     {answered:,} answered with a SYN cookie, {dropped:,} dropped, "
            f"{let_in - taken:,} let in by limit-total\n"
            f"        during   {told(served)}; {taken:,} of them by a cookie")
        rows += [row(family, "Ollama before the SYN flood", calm[family]),
                 row(family, "Ollama during the SYN flood", served)]
        answer = Flow("a flood of forged SYNs", family, "", "", {}, "answered by cookies")
        good = answered > 0 and taken >= served[1]
        rows.append((answer, f"{answered:,} answered by cookies", good))
    return rows

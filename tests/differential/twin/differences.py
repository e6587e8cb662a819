# SPDX-License-Identifier: Apache-2.0
"""The deliberate differences, each with a name that docs/differences.md explains.

A class says which wall lets through what the other does not, and of which
packets: by the packet's own bytes, what the story knows of its flow, and
whether conntrack called it INVALID. None is "whatever differs".
"""
import ipaddress
from dataclasses import dataclass, field

from decode import AH, FRAGMENT, SCTP, TCP, UDP, UDPLITE, WITH_PORTS
from ground import HOST, SECOND
from routed_differences import goes_nowhere, published_error, routed_answer, routed_error, \
    routed_segment, untracked_error
from routes import INSIDE
from steps import FROM_BOX, IN, OUT, TO_BOX

ROUTED = (TO_BOX, FROM_BOX)
ARRIVING, JUDGED = (IN, TO_BOX), (IN,) + ROUTED
SALLYPORT, NETFILTER, EITHER = "a", "b", "ab"
BOTH = "="
FIN, SYN, RST, ACK = 1, 2, 4, 16
IMPOSSIBLE = [ipaddress.ip_network(n) for n in (
    "0.0.0.0/8", "127.0.0.0/8", "::/96", "::ffff:0:0/96")]
GRE = 47
OWN = {a for addresses in (HOST, SECOND, INSIDE) for a in addresses.values()}
# What conntrack takes for the start of something (nf_conntrack_proto_icmp*.c).
ICMP_OPENS = {4: (8, 13, 15, 17), 6: (128, 139)}


@dataclass
class Difference:
    name: str
    ways: tuple         # of the step
    passes: str         # who lets it through; BOTH: then what the host's kernel says to it differs
    holds: object       # of (packet, outcome, setting): is it one of these?


@dataclass
class Setting:
    policy: object
    style: str          # how the other wall is spelled
    asked: set = field(default_factory=set)  # (source, port, port) of each SYN in this round

    @property
    def options_dropped(self):
        return self.policy.switches["ip-options"] == "drop"


def wrong_sum(p, o, setting):
    """Fragments of what the box sends are one packet again where there is NAT."""
    whole = p.fragment is not None and o.step.way == FROM_BOX and setting.policy.nat is not None
    return o.invalid and (whole or not p.sum_is_right())


def unsent(p, o, _):
    """Conntrack expects answers from the question on."""
    return p.is_error and p.quote.proto == UDP and o.step.note == "unsent" and p.dst in OWN


def odd_icmp(p, o, _):
    return o.invalid and p.is_icmp and not p.is_error and p.kind not in ICMP_OPENS[p.family] \
        and p.sum_is_right()


def sctp_no_init(p, o, _):
    return o.invalid and p.proto == SCTP and p.body[12:13] != b"\1"


def group_frame(p, o, _):
    return bool(p.dst_mac[0] & 1) and p.dst in OWN


def fragments_tracked(setting):
    return setting.policy.switches.get("fragments", "drop") == "track"


def fragment(p, o, setting):
    return p.fragment is not None and not fragments_tracked(setting)


def fragment_order(p, o, setting):
    return p.step is not None and p.fragment[0] != 0 and fragments_tracked(setting)


def fragment_headers(p, o, setting):
    """A first fragment that does not bear the headers up to the transport's end."""
    needed = max(20, (p.body[12] >> 4) * 4) if p.proto == TCP and len(p.body) > 12 \
        else 12 if p.proto == SCTP else 8
    return p.step is not None and p.step < needed and fragments_tracked(setting)


def routed_fragment(p, o, setting):
    """NAT has conntrack put them together before they are judged."""
    return p.fragment is not None and setting.policy.nat is None and fragments_tracked(setting)


def fragment_whole(p, o, setting):
    """What nobody sends in fragments: errors, redirects, neighbour discovery, MLD and IGMP."""
    kinds = (3, 5, 11, 12) if p.family == 4 else (1, 2, 3, 4, 130, 131, 132, 133, 134, 135, 136, 137, 143)
    return p.fragment is not None and fragments_tracked(setting) and \
        (p.is_icmp and p.kind in kinds or p.family == 4 and p.proto == 2)


def options(p, o, setting):
    return bool(p.options) and setting.options_dropped


def route_left(p, o, _):
    return any(number == 43 and data[2:4] and (data[2] == 0 or data[3] != 0)
               for number, data in p.extensions)


def odd_chain(p, o, _):
    numbers = [number for number, _ in p.extensions]
    return len(numbers) > 8 or 0 in numbers[1:] or numbers.count(FRAGMENT) > 1


def mid_stream(p, o, _):
    return p.proto == TCP and p.flags & (SYN | RST | ACK) == ACK and not o.invalid \
        and o.step.note in ("", "raw") and (o.step.way != TO_BOX or p.dst in OWN)  # published


def window(p, o, setting):
    """Of a connection that the socket knows; a stray may hit upon one that an earlier stray asked for."""
    known = o.step.note in ("window", "half-open") or (p.source(), p.sport, p.dport) in setting.asked
    return o.invalid and p.proto == TCP and known and o.step.note != "reused"


def reused(p, o, _):
    return p.proto == TCP and p.flags & (SYN | ACK) == SYN and o.step.note == "reused"


def reused_invalid(p, o, setting):
    return o.invalid and reused(p, o, setting)


def flags_in_flow(p, o, _):
    return o.invalid and o.step.note == "nonsense" and p.flags & (FIN | RST) == FIN | RST


def packet_socket(p, o, _):
    return o.step.note == "packet socket"


def options_out(p, o, setting):
    return bool(p.options) and setting.options_dropped


def answer_by_rule(p, o, setting):
    """What a bound UDP socket sends is an answer where ingress would let the peer ask."""
    return p.proto == UDP and o.step.note not in ("packet socket", "raw") \
        and setting.policy.admits("ingress", p.dst, UDP, p.sport)


def raw_checked(p, o, _):
    return o.invalid and o.step.note == "raw" and p.proto in (TCP, SCTP, UDPLITE)


def raw_answer(p, o, setting):
    """What has no ports answers whoever was let in before, to conntrack."""
    return o.step.note == "raw" and p.proto not in WITH_PORTS \
        and setting.policy.admits("ingress", p.dst, p.proto, None)


def own_source(p, o, _):
    return p.family == 6 and p.src in OWN


def impossible_source(p, o, _):
    return any(p.source() in n for n in IMPOSSIBLE)


def lite(p, o, _):
    return o.invalid and p.proto == UDPLITE and p.sum_is_right()


def gre_version(p, o, _):
    return o.invalid and p.proto == GRE and len(p.body) > 1 and p.body[1] & 7 == 1


def errors_alone(missing):
    return bool(missing) and all(proto in (1, 58) and kind in (3, 11, 12, 1, 2, 4)
                                 for proto, _, kind, _ in missing)


def dhcp_error(p, o, _):
    return (p.proto, p.sport, p.dport) in ((UDP, 67, 68), (UDP, 547, 546)) \
        and not o.answers["a"] and errors_alone(o.answers["b"])


def timestamp_code(p, o, _):
    """The stack answers with code 0, which is another flow to conntrack."""
    return p.family == 4 and p.kind == 13 and p.code != 0 and not o.answers["b"] \
        and o.answers["a"] == {(1, None, 14, 0)}


def early_answer(p, o, _):
    """Behind XDP and before the filter: options that the stack cannot read, and what cannot go on."""
    problem = {(1, None, 12, 0)} if p.family == 4 else {(58, None, 4, 2)}
    return not o.passed("b") and (o.answers["b"] == problem or goes_nowhere(p, o))


def jumbo(p, o, _):
    return p.family == 6 and p.data[4:7] == b"\0\0\0"


def obsolete(p, o, _):
    return p.family == 4 and p.is_icmp and p.kind in (4, 6, 15, 16, *range(30, 40))


def link_extensions(p, o, _):
    """Neighbour discovery behind any extension, MLD without its router alert alone before it."""
    alert = [number for number, _ in p.extensions] == [0] and p.extensions[0][1][2:4] == b"\5\2"
    return p.family == 6 and p.is_icmp and (
        p.kind in (133, 134, 135, 136) and bool(p.extensions)
        or p.kind in (130, 131, 132, 143) and not alert)


def tags(p, o, _):
    return len(p.tags) > 2


def authentication(p, o, setting):
    """Legacy rules look behind it; conntrack and the putting together of fragments always do."""
    behind = setting.style == "iptables-legacy" or o.invalid or p.fragment is not None
    return p.family == 6 and behind and any(n == AH for n, _ in p.extensions)



ALL = (
    Difference("checksums", JUDGED, SALLYPORT, wrong_sum),
    Difference("icmp-types", JUDGED, SALLYPORT, odd_icmp),
    Difference("sctp-chunks", JUDGED, SALLYPORT, sctp_no_init),
    Difference("group-frames", (IN,), NETFILTER, group_frame),
    Difference("fragments", JUDGED, NETFILTER, fragment),
    Difference("fragment-order", JUDGED, NETFILTER, fragment_order),
    Difference("fragment-headers", JUDGED, NETFILTER, fragment_headers),
    Difference("fragment-whole", JUDGED, NETFILTER, fragment_whole),
    Difference("routed-fragments", ROUTED, NETFILTER, routed_fragment),
    Difference("ip-options", JUDGED, NETFILTER, options),
    Difference("routing-headers", JUDGED, NETFILTER, route_left),
    Difference("extension-chains", JUDGED, NETFILTER, odd_chain),
    Difference("mid-stream", ARRIVING, NETFILTER, mid_stream),
    Difference("own-source", JUDGED, NETFILTER, own_source),
    Difference("impossible-sources", JUDGED, NETFILTER, impossible_source),
    Difference("udp-lite", JUDGED, SALLYPORT, lite),
    Difference("gre-versions", JUDGED, SALLYPORT, gre_version),
    Difference("dhcp-errors", (IN,), BOTH, dhcp_error),
    Difference("timestamp-codes", (IN,), BOTH, timestamp_code),
    Difference("early-answers", JUDGED, NETFILTER, early_answer),
    Difference("untracked-errors", JUDGED, SALLYPORT + BOTH, untracked_error),
    Difference("unsent-answers", ARRIVING, NETFILTER, unsent),
    Difference("routed-answers", ROUTED, SALLYPORT, routed_answer),
    Difference("routed-segments", ROUTED, SALLYPORT, routed_segment),
    Difference("routed-errors", ROUTED, SALLYPORT, routed_error),
    Difference("published-errors", (FROM_BOX,), NETFILTER, published_error),
    Difference("jumbograms", JUDGED, NETFILTER, jumbo),
    Difference("obsolete-icmp", JUDGED, NETFILTER, obsolete),
    Difference("link-extensions", JUDGED, NETFILTER, link_extensions),
    Difference("vlan-depth", ARRIVING, NETFILTER, tags),
    Difference("authentication-header", JUDGED, EITHER + BOTH, authentication),
    Difference("tcp-windows", JUDGED, SALLYPORT, window),
    Difference("reused-tuples", JUDGED, SALLYPORT, reused_invalid),
    Difference("simultaneous-open", JUDGED, NETFILTER, reused),
    Difference("reset-flags", JUDGED, SALLYPORT, flags_in_flow),
    Difference("packet-sockets", (OUT,), NETFILTER, packet_socket),
    Difference("ip-options-out", (OUT,), NETFILTER, options_out),
    Difference("answers-by-rule", (OUT,), SALLYPORT, answer_by_rule),
    Difference("mid-stream-out", (OUT,), NETFILTER, mid_stream),
    Difference("raw-sockets", (OUT,), SALLYPORT, raw_checked),
    Difference("raw-answers", (OUT,), NETFILTER, raw_answer),
)


def class_of(outcome, setting):
    """The Difference that this outcome is, or None."""
    a, b = outcome.passed("a"), outcome.passed("b")
    who = BOTH if a == b else SALLYPORT if a else NETFILTER
    if not a and not b:  # one stack answered before its filter was asked
        who = SALLYPORT if outcome.answers["a"] else NETFILTER
    packet = outcome.packet
    if packet is None or not packet.family:
        return None
    return next((d for d in ALL if outcome.step.way in d.ways and who in d.passes
                 and d.holds(packet, outcome, setting)), None)

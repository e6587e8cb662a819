# SPDX-License-Identifier: Apache-2.0
"""Of what is routed: the tests behind the differences that it alone has."""
from decode import AH, TCP, WITH_PORTS

REPLIES = {4: {0: 8, 14: 13}, 6: {129: 128}}    # type of ICMP -> what it answers
SYN, ACK = 2, 16
TOO_LATE = {4: (1, None, 11, 0), 6: (58, None, 3, 0)}
ERRORS = {(1, None, 11, 0), (1, None, 12, 0), (58, None, 3, 0), (58, None, 4, 1), (58, None, 4, 2)}
NO_PORT = (58, None, 1, 4)
DESTINATION, FRAGMENT = 60, 44
BEYOND_SCOPE = (58, None, 1, 2)
TOO_LONG = {4: (1, None, 3, 4), 6: (58, None, 2, 0)}
UNTRACKED = (130, 131, 132, 133, 134, 135, 136, 137, 143)
ROOM = 1400         # on the box's cable


def either_may_open(p, setting):
    """Would the forward rules let one of the ends of this packet open it?"""
    if p.is_icmp:
        question = REPLIES[p.family].get(p.kind, p.kind)
        return any(setting.policy.admits("forward", src, p.proto, question, dst)
                   for src, dst in ((p.src, p.dst), (p.dst, p.src)))
    return any(setting.policy.admits("forward", src, p.proto, port, dst)
               for src, dst, port in ((p.src, p.dst, p.dport), (p.dst, p.src, p.sport)))


def routed_answer(p, o, setting):
    """What answers a question that the rules would allow, asked or not."""
    if any(number == AH for number, _ in p.extensions):  # the protocol, whatever is behind it
        return setting.policy.admits("forward", p.dst, AH, 0, p.src)
    if p.is_icmp:
        asked = REPLIES[p.family].get(p.kind)
        return asked is not None and setting.policy.admits("forward", p.dst, p.proto, asked, p.src)
    return p.proto != TCP and setting.policy.admits("forward", p.dst, p.proto, p.sport, p.src)


def routed_segment(p, o, setting):
    """A segment but a bare SYN, of a connection that either end may open."""
    return p.proto == TCP and p.flags & (SYN | ACK) != SYN and either_may_open(p, setting)


def routed_error(p, o, setting):
    """It quotes what either end might open, to the one whose packet it quotes."""
    quote = p.quote
    return p.is_error and quote is not None and quote.src == p.dst and \
        (quote.proto in WITH_PORTS or quote.is_icmp) and either_may_open(quote, setting)


def published_error(p, o, setting):
    """The hook of the box's own NIC, when that is guarded, heeds the switch before it asks who was asked."""
    policy = setting.policy
    return p.is_error and not policy.switches["icmp-errors"] and "box0" in policy.guarded \
        and policy.nat is not None and policy.nat.published


def goes_nowhere(p, o):
    """The stack looks at the hop limit, the length and the scope before it asks the filter."""
    return p.hops <= 1 and o.answers["b"] == {TOO_LATE[p.family]} or \
        len(p.data) > ROOM and o.answers["b"] == {TOO_LONG[p.family]} or \
        p.family == 6 and p.source().is_link_local and o.answers["b"] == {BEYOND_SCOPE}


def lost_by_conntrack(p):
    """A fragment header behind destination options, which conntrack's reassembly gets wrong."""
    headers = [number for number, _ in p.extensions]
    return p.family == 6 and p.fragment is not None and DESTINATION in headers and \
        headers.index(DESTINATION) < headers.index(FRAGMENT)


def untracked_error(p, o, _):
    """What the host says of what conntrack finds INVALID, keeps as a fragment, or does not look at."""
    untracked = o.invalid or p.fragment is not None or p.family == 6 and p.is_icmp and p.kind in UNTRACKED
    errors = ERRORS | ({NO_PORT} if lost_by_conntrack(p) else set())
    return untracked and len(o.answers["a"]) == 1 and o.answers["a"] <= errors and not o.answers["b"]

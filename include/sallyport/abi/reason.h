/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SALLYPORT_ABI_REASON_H
#define SALLYPORT_ABI_REASON_H
/*
 * Every way a packet can be refused. This list is the only one: the programs,
 * the events, the counters, the metrics and docs/reasons.md are made from it.
 *
 * Numbers are append-only; a retired one is never used again. 0 is not a
 * reason but "no objection so far", and is never stored.
 *
 * X(NAME, number, "slug", "meaning, for an operator")
 */
#define SP_REASONS(X)                                                                              \
	X(NO_POLICY, 1, "no-policy", "no policy is loaded, or a part of it is missing")            \
	X(TRUNCATED, 2, "truncated", "the packet ends before its headers do")                      \
	X(MALFORMED, 3, "malformed", "a header contradicts itself or the packet's length")         \
	X(ETHERTYPE, 4, "ethertype", "neither IP nor an allowed link protocol")                    \
	X(VLAN_DEPTH, 5, "vlan-depth", "more VLAN tags than are walked")                           \
	X(OTHER_STATION, 6, "other-station", "the frame is addressed to another station")          \
	X(ARP, 7, "arp", "ARP, and essentials.arp is off")                                         \
	X(IP_OPTIONS, 8, "ip-options", "IPv4 options, and essentials.ip-options is drop")          \
	X(EXT_CHAIN, 9, "ext-chain", "IPv6 extension headers that are too many or out of place")   \
	X(FRAGMENT, 10, "fragment", "a fragment, and fragments is drop; or of what is sent whole") \
	X(BOGON, 11, "bogon", "a source address that cannot come from the wire")                   \
	X(L2_MISMATCH, 12, "l2-mismatch", "a unicast packet in a multicast or broadcast frame")    \
	X(TCP_FLAGS, 13, "tcp-flags", "a combination of TCP flags that opens or carries nothing")  \
	X(NEIGHBOUR, 14, "neighbour", "neighbour discovery, RA or MLD against its RFC, or off")    \
	X(REDIRECT, 15, "redirect", "an ICMP redirect, and essentials.redirects is off")           \
	X(ICMP_UNRELATED, 16, "icmp-unrelated", "an ICMP error that quotes no known flow")         \
	X(NO_FLOW, 17, "no-flow", "a TCP segment of no known connection")                          \
	X(NO_RULE, 18, "no-rule", "no rule allows it")                                             \
	X(DENIED, 19, "denied", "a deny rule forbids it")                                          \
	X(METADATA, 20, "metadata", "a cloud metadata address, and no rule allows it")             \
	X(FLOW_FULL, 21, "flow-full", "the flow table has no room for a new flow")                 \
	X(CUT, 22, "cut", "a running connection that the policy would not have let open")          \
	X(INTERNAL, 23, "internal", "a lookup that cannot fail has failed")                        \
	X(SOURCE_ROUTE, 24, "source-route", "an IPv4 source-route option, whatever the policy")    \
	X(FRAGMENT_ORPHAN, 25, "fragment-orphan", "a later fragment without an admitted first")    \
	X(FRAGMENT_TINY, 26, "fragment-tiny", "a first fragment without its transport header")     \
	X(FRAGMENT_OVERLAP, 27, "fragment-overlap", "a fragment over another, or out of step")     \
	X(FRAGMENT_CONFLICT, 28, "fragment-conflict", "a second first fragment with other ports")  \
	X(FRAGMENT_FULL, 29, "fragment-full", "the table of fragments has no room")                \
	X(ICMP_TYPE, 30, "icmp-type", "an ICMP type that is obsolete or serves only attackers")    \
	X(NOT_GUARDED, 31, "not-guarded", "an interface to be guarded has no hooks yet")           \
	X(PACKET_SOCKET, 32, "packet-socket", "a packet socket, and packet-sockets is deny")       \
	X(OVER_LIMIT, 33, "over-limit", "a new connection beyond what the rule's limit lets in")   \
	X(BAD_COOKIE, 34, "bad-cookie", "an ACK without the SYN cookie that its rule asks for")    \
	X(BANNED, 35, "banned", "one of the packet's ends is banned")                              \
	X(TOO_MANY_CONNECTIONS, 36, "too-many-connections", "as many as max-connections are open") \
	X(NOT_COUNTED, 37, "not-counted", "max-connections, and no socket of this host is asked")

enum sp_reason {
	SP_REASON_NONE = 0,
#define X(name, number, slug, meaning) SP_REASON_##name = number,
	SP_REASONS(X)
#undef X
	    SP_REASON_END = 38, /* one past the last; grows with the list */
};

/* Room for reasons in counter maps, so that the list may grow without a new layout. */
#define SP_REASON_MAX 64

#endif

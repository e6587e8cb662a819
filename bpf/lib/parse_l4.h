/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_PARSE_L4_H
#define SALLYPORT_LIB_PARSE_L4_H
/* TCP, UDP, UDP-Lite, SCTP, ICMP, ICMPv6. Of what else there is, the number is all we judge. */
#include "packet.h"
#include "parse_ip4.h"
#include "parse_ip6.h"
#include "parse_l2.h"

/*
 * Only what no connection ever sends and Linux ignores or answers with a RST:
 * ECN, PSH, URG and data on a SYN are left alone (RFC 3168, RFC 7413).
 */
static __always_inline enum sp_reason check_tcp_flags(__u8 flags)
{
	if (flags & SP_TCP_SYN)
		return flags & (SP_TCP_FIN | SP_TCP_RST) ? SP_REASON_TCP_FLAGS : SP_REASON_NONE;
	return flags & (SP_TCP_ACK | SP_TCP_RST) ? SP_REASON_NONE : SP_REASON_TCP_FLAGS;
}

static __always_inline enum sp_reason parse_tcp(struct packet *p, const __u8 *header, __u32 room)
{
	__u32 header_len = (header[12] >> 4) * 4u;

	p->tcp_flags = header[13] & 0x3f;
	if (header_len < 20)
		return SP_REASON_MALFORMED;
	if (header_len > room)
		return SP_REASON_TRUNCATED;
	if (header_len < room || p->marks & SP_PKT_FIRST)
		p->marks |= SP_PKT_LOADED;
	return check_tcp_flags(p->tcp_flags);
}

/* RFC 768 and, for UDP-Lite's coverage in the same place, RFC 3828: 0 means all of it. */
static __always_inline enum sp_reason check_udp_len(const struct packet *p, const __u8 *header,
						    __u32 room)
{
	__u32 len = (__u32)header[4] << 8 | header[5];

	if (len == 0 && (p->proto == SP_PROTO_UDPLITE || room > 65535))
		return SP_REASON_NONE;
	if (len > room && !(p->marks & SP_PKT_FIRST))
		return SP_REASON_MALFORMED;
	return len < 8 ? SP_REASON_MALFORMED : SP_REASON_NONE;
}

/*
 * Types that no rule opens: obsolete ones (RFC 6633, 6918), which no stack sends,
 * and those that ICMPv6 reserves (RFC 4443). Redirects, errors and neighbour
 * discovery have checks of their own; the rest is a matter of rules.
 */
static __always_inline int is_dead_icmp(const struct packet *p)
{
	__u8 type = p->icmp_type;

	if (p->family == 6)
		return type == 0 || type == 127 || type == 255;
	return type == 4 || type == 6 || type == 15 || type == 16 || (type >= 30 && type <= 39);
}

static __always_inline __u32 l4_header_len(const struct packet *p)
{
	if (p->proto == SP_PROTO_TCP)
		return 20;
	if (p->proto == SP_PROTO_SCTP)
		return 12;
	if (has_ports(p->proto) || is_icmp(p))
		return 8;
	return 0;
}

/* After parse_ip4 or parse_ip6. A fragment's transport header is not looked at. */
static __always_inline enum sp_reason parse_l4(const struct reader *r, struct packet *p)
{
	__u8 header[20] = {};
	__u32 room = p->end - p->l4_offset;
	__u32 len = l4_header_len(p);
	int failed;

	if (p->marks & SP_PKT_FRAGMENT)
		return SP_REASON_NONE;
	/* The other family's ICMP means nothing here, and would be taken for a type of it. */
	if (p->proto == (p->family == 4 ? SP_PROTO_ICMP6 : SP_PROTO_ICMP))
		return SP_REASON_MALFORMED;
	if (len == 0)
		return SP_REASON_NONE;
	if (len > room)
		return SP_REASON_TRUNCATED;
	/* A length the compiler knows at each call: 6.1's verifier asks for it. */
	if (len == 20)
		failed = read_bytes(r, p->l4_offset, header, 20);
	else if (len == 12)
		failed = read_bytes(r, p->l4_offset, header, 12);
	else
		failed = read_bytes(r, p->l4_offset, header, 8);
	if (failed)
		return SP_REASON_TRUNCATED;
	if (is_icmp(p)) {
		p->icmp_type = header[0];
		p->icmp_code = header[1];
		if (is_echo_request(p) || is_echo_reply(p)) {
			p->src_port = (__u16)(header[4] << 8 | header[5]);
			p->dst_port = p->src_port;
		}
		return is_dead_icmp(p) ? SP_REASON_ICMP_TYPE : SP_REASON_NONE;
	}
	p->src_port = (__u16)(header[0] << 8 | header[1]);
	p->dst_port = (__u16)(header[2] << 8 | header[3]);
	if (p->proto == SP_PROTO_TCP)
		return parse_tcp(p, header, room);
	if (p->proto == SP_PROTO_SCTP)
		return SP_REASON_NONE;
	return check_udp_len(p, header, room);
}

/* From the ethertype on; SP_REASON_NONE with family 0 for what is not IP. */
static __always_inline enum sp_reason parse_l3(const struct reader *r, struct packet *p)
{
	enum sp_reason reason = SP_REASON_NONE;

	if (p->ethertype == SP_ETH_IP4)
		reason = parse_ip4(r, p);
	else if (p->ethertype == SP_ETH_IP6)
		reason = parse_ip6(r, p);
	else
		return SP_REASON_NONE;
	return reason ? reason : parse_l4(r, p);
}

#endif

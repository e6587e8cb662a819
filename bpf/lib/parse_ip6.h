/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_PARSE_IP6_H
#define SALLYPORT_LIB_PARSE_IP6_H
/*
 * IPv6 with its extension headers. Lengths are 32-bit and every step is bounded by
 * the packet's end. A length field of 0 in a packet of more than 64 KiB is what the
 * stack's own BIG TCP segments carry (5.19).
 */
#include "packet.h"

/*
 * Of a hop-by-hop header's first 8 bytes: the router alert of a multicast
 * listener message (RFC 2711, value 0), in front as Linux has it or behind two
 * bytes of padding as the BSDs do.
 */
static __always_inline int has_router_alert(const __u8 *header)
{
	if ((header[2] == 1 || header[2] == 0) && header[3] == 0)
		return header[4] == 5 && header[5] == 2 && header[6] == 0 && header[7] == 0;
	return header[2] == 5 && header[3] == 2 && header[4] == 0 && header[5] == 0;
}

/*
 * One extension header, at p->l4_offset: 8 bytes at least, all it claims within
 * the packet. Routing headers with segments left ask this host to forward, and
 * type 0 is deprecated (RFC 5095, 6554): never legitimate here.
 */
static __always_inline enum sp_reason parse_extension(const struct reader *r, struct packet *p,
						      __u32 index)
{
	__u8 header[8];
	__u8 kind = p->proto;
	__u32 len;

	if (kind == SP_PROTO_HOPOPTS && index != 0)
		return SP_REASON_EXT_CHAIN;
	if (p->l4_offset + 8 > p->end || read_bytes(r, p->l4_offset, header, 8))
		return SP_REASON_TRUNCATED;
	len = (header[1] + 1u) * 8u;
	if (kind == SP_PROTO_FRAGMENT)
		len = 8;
	if (p->l4_offset + len > p->end)
		return SP_REASON_TRUNCATED;
	if (kind == SP_PROTO_ROUTING && (header[2] == 0 || header[3] != 0))
		return SP_REASON_EXT_CHAIN;
	if (kind == SP_PROTO_HOPOPTS && has_router_alert(header))
		p->marks |= SP_PKT_ROUTER_ALERT;
	if (kind == SP_PROTO_FRAGMENT)
		p->marks |= SP_PKT_FRAGMENT;
	p->proto = header[0];
	p->l4_offset += len;
	return SP_REASON_NONE;
}

/*
 * What is walked. All else ends the walk and is judged by its number: AH and ESP
 * too, as in IPv4, because what they bear means nothing before their keys have
 * spoken, and no port of it may be believed.
 */
static __always_inline int is_extension(__u8 proto)
{
	return proto == SP_PROTO_HOPOPTS || proto == SP_PROTO_ROUTING ||
	       proto == SP_PROTO_FRAGMENT || proto == SP_PROTO_DSTOPTS;
}

static __always_inline enum sp_reason parse_ip6(const struct reader *r, struct packet *p)
{
	__u8 header[40];
	__u32 payload, room = r->len - p->l3_offset;

	if (read_bytes(r, p->l3_offset, header, sizeof(header)))
		return SP_REASON_TRUNCATED;
	p->family = 6;
	p->proto = header[6];
	p->hops = header[7];
	__builtin_memcpy(&p->src, header + 8, 16);
	__builtin_memcpy(&p->dst, header + 24, 16);
	payload = (__u32)header[4] << 8 | header[5];
	if (payload == 0 && room > 65535 + 40)
		payload = room - 40;
	if (header[0] >> 4 != 6)
		return SP_REASON_MALFORMED;
	if (payload + 40 > room)
		return SP_REASON_TRUNCATED;
	p->end = p->l3_offset + 40 + payload;
	p->l4_offset = p->l3_offset + 40;
	for (__u32 i = 0; i < SP_EXTS_MAX; i++) {
		enum sp_reason reason;

		if (!is_extension(p->proto) || p->marks & SP_PKT_FRAGMENT)
			return SP_REASON_NONE;
		reason = parse_extension(r, p, i);
		if (reason)
			return reason;
	}
	/* What is behind a fragment header is not walked. */
	return is_extension(p->proto) && !(p->marks & SP_PKT_FRAGMENT) ? SP_REASON_EXT_CHAIN
								       : SP_REASON_NONE;
}

#endif

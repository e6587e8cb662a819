/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_PARSE_QUOTE_H
#define SALLYPORT_LIB_PARSE_QUOTE_H
/* What an ICMP error is about. */
#include "address.h"
#include "packet.h"

/* 1 when a and b are the same; no branch, each of which would double the verifier's paths. */
static __always_inline __u32 is_same(__u32 a, __u32 b)
{
	__u32 differs = a ^ b;

	barrier_var(differs);
	differs = (differs - 1) >> 31;
	barrier_var(differs);
	return differs;
}

/* As is_extension(), of a number below 256. */
static __always_inline __u32 is_walked(__u32 proto)
{
	return is_same(proto, SP_PROTO_HOPOPTS) | is_same(proto, SP_PROTO_ROUTING) |
	       is_same(proto, SP_PROTO_FRAGMENT) | is_same(proto, SP_PROTO_DSTOPTS);
}

/*
 * What is quoted was sent or let in here: hop-by-hop, routing, fragment, destination options.
 * Each more costs the verifier a fiftieth of sp_cg_egress (6.18), and is not for an error.
 */
#define SP_QUOTED_EXTS_MAX 4

/*
 * Past the extension headers of what is quoted: those of a datagram that was sent in
 * fragments, above all, or "packet too big" never reached its sender. Only the first
 * fragment has ports. `header` is the caller's, for its stack.
 */
static __always_inline enum sp_reason walk_quote(const struct reader *r, const struct packet *p,
						 struct packet *inner, __u8 *header, __u32 *offset)
{
	for (__u32 i = 0; i < SP_QUOTED_EXTS_MAX; i++) {
		__u32 whole; /* all ones but for a fragment header */

		if (!is_walked(inner->proto))
			break;
		if (*offset + 8 > p->end || read_bytes(r, *offset, header, 8))
			return SP_REASON_TRUNCATED;
		whole = is_same(inner->proto, SP_PROTO_FRAGMENT) - 1;
		if ((header[2] | (header[3] & 0xf8u)) & ~whole)
			return SP_REASON_MALFORMED;
		*offset += 8 + (header[1] * 8u & whole);
		inner->proto = header[0];
	}
	return is_walked(inner->proto) ? SP_REASON_EXT_CHAIN : SP_REASON_NONE;
}

/*
 * The packet that an ICMP error quotes, as far as its ports: `inner` gets
 * addresses, proto and ports. RFC 792 promises 8 bytes of transport header;
 * whatever else is cut off is no fault. An error goes to the sender of what it
 * quotes, is not about a later fragment, and not about an error (RFC 1122 3.2.2).
 */
static __always_inline enum sp_reason parse_quote(const struct reader *r, const struct packet *p,
						  struct packet *inner)
{
	__u8 header[40];
	__u8 ports[8];
	__u32 offset = p->l4_offset + 8;
	__u32 word;

	inner->family = p->family;
	if (p->family == 4) {
		if (offset + 20 > p->end || read_bytes(r, offset, header, 20))
			return SP_REASON_TRUNCATED;
		if (header[0] >> 4 != 4 || (header[0] & 0x0f) < 5 ||
		    ((header[6] & 0x1f) | header[7]) != 0)
			return SP_REASON_MALFORMED;
		__builtin_memcpy(&word, header + 12, 4);
		set_v4(&inner->src, word);
		__builtin_memcpy(&word, header + 16, 4);
		set_v4(&inner->dst, word);
		inner->proto = header[9];
		offset += (header[0] & 0x0fu) * 4u;
	} else {
		if (offset + 40 > p->end || read_bytes(r, offset, header, 40))
			return SP_REASON_TRUNCATED;
		if (header[0] >> 4 != 6)
			return SP_REASON_MALFORMED;
		__builtin_memcpy(&inner->src, header + 8, 16);
		__builtin_memcpy(&inner->dst, header + 24, 16);
		inner->proto = header[6];
		offset += 40;
	}
	if (!same_addr(&inner->src, &p->dst))
		return SP_REASON_MALFORMED;
	if (p->family == 6) {
		enum sp_reason reason = walk_quote(r, p, inner, ports, &offset);

		if (reason)
			return reason;
	}
	if (!has_ports(inner->proto) && !is_icmp(inner))
		return SP_REASON_NONE;
	if (offset + 8 > p->end || read_bytes(r, offset, ports, 8))
		return SP_REASON_TRUNCATED;
	if (is_icmp(inner)) {
		inner->icmp_type = ports[0];
		if (is_echo_request(inner) || is_echo_reply(inner)) {
			inner->src_port = (__u16)(ports[4] << 8 | ports[5]);
			inner->dst_port = inner->src_port;
		}
		return is_icmp_error(inner) ? SP_REASON_MALFORMED : SP_REASON_NONE;
	}
	inner->src_port = (__u16)(ports[0] << 8 | ports[1]);
	inner->dst_port = (__u16)(ports[2] << 8 | ports[3]);
	return SP_REASON_NONE;
}

#endif

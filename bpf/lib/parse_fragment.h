/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_PARSE_FRAGMENT_H
#define SALLYPORT_LIB_PARSE_FRAGMENT_H
/*
 * What a fragment is a piece of, and the headers of a first one. parse_l3()
 * stops at a fragment; who tracks them goes on here. A first fragment bears all
 * headers up to the transport's end (RFC 1858, RFC 7112), or is "tiny".
 */
#include "parse_l4.h"

enum piece_kind {
	PIECE_NONE = 0,	  /* not a fragment */
	PIECE_ATOMIC = 1, /* a whole packet behind a fragment header (RFC 6946) */
	PIECE_FIRST = 2,
	PIECE_LATER = 3,
};

struct piece {
	__u32 id;
	__u32 offset; /* in bytes, within what was cut up */
	__u32 len;    /* bytes of that */
	__u8 kind;    /* enum piece_kind */
	__u8 more;    /* others follow behind it */
	__u8 spare[2];
};

/* p->l4_offset is where the cut-up part begins: behind the IPv4 or the fragment header. */
static __always_inline enum sp_reason read_piece(const struct reader *r, const struct packet *p,
						 struct piece *piece)
{
	__u32 at = p->family == 4 ? p->l3_offset : p->l4_offset - 8;
	__u32 before = p->family == 4 ? p->l4_offset - p->l3_offset : at - p->l3_offset - 40;
	__u32 word;
	__u8 header[8];

	if (read_bytes(r, at, header, sizeof(header)))
		return SP_REASON_TRUNCATED;
	piece->len = p->end - p->l4_offset;
	piece->id = (__u32)header[4] << 8 | header[5];
	if (p->family == 4) {
		word = (__u32)header[6] << 8 | header[7];
		piece->offset = (word & 0x1fff) * 8;
		piece->more = (word & 0x2000) != 0;
	} else {
		word = (__u32)header[2] << 8 | header[3];
		piece->id = piece->id << 16 | (__u32)header[6] << 8 | header[7];
		piece->offset = word & 0xfff8;
		piece->more = word & 1;
	}
	piece->kind = piece->offset ? PIECE_LATER : piece->more ? PIECE_FIRST : PIECE_ATOMIC;
	/* What no datagram is cut into, or would pass 65535 bytes when it is whole. */
	if ((piece->more && piece->len % 8) || (piece->offset && piece->len == 0) ||
	    piece->offset + piece->len + before > 65535)
		return SP_REASON_MALFORMED;
	return SP_REASON_NONE;
}

/* All of the chain anew, over the fragment header that ends at `cut`: eight headers at most. */
static __always_inline enum sp_reason walk_over(const struct reader *r, struct packet *p, __u32 cut)
{
	if (read_bytes(r, p->l3_offset + 6, &p->proto, 1))
		return SP_REASON_TRUNCATED;
	p->l4_offset = p->l3_offset + 40;
	for (__u32 i = 0; i < SP_EXTS_MAX; i++) {
		enum sp_reason reason;

		if (!is_extension(p->proto))
			return SP_REASON_NONE;
		if (p->proto == SP_PROTO_FRAGMENT && p->l4_offset + 8 != cut)
			return SP_REASON_EXT_CHAIN;
		reason = parse_extension(r, p, i);
		if (reason)
			return reason;
	}
	return is_extension(p->proto) ? SP_REASON_EXT_CHAIN : SP_REASON_NONE;
}

static __always_inline enum sp_reason parse_start(const struct reader *r, struct packet *p)
{
	enum sp_reason reason = SP_REASON_NONE;

	if (p->family == 6)
		reason = walk_over(r, p, p->l4_offset);
	p->marks &= (__u8)~SP_PKT_FRAGMENT;
	if (reason)
		return reason;
	/* Of a protocol that is judged by its number, too, more than nothing must be here. */
	if (p->marks & SP_PKT_FIRST && p->end - p->l4_offset < 8)
		return SP_REASON_TRUNCATED;
	return parse_l4(r, p);
}

/*
 * After parse_l3(), of a packet with SP_PKT_FRAGMENT; *piece is zero before. A
 * first and an atomic one lose that mark and get ports like a whole packet; a
 * later one keeps it.
 */
static __always_inline enum sp_reason parse_piece(const struct reader *r, struct packet *p,
						  struct piece *piece)
{
	enum sp_reason reason = read_piece(r, p, piece), start;

	if (piece->kind == PIECE_NONE || piece->kind == PIECE_LATER)
		return reason;
	if (piece->kind == PIECE_FIRST)
		p->marks |= SP_PKT_FIRST;
	start = parse_start(r, p);
	if (start == SP_REASON_TRUNCATED && piece->kind == PIECE_FIRST)
		return SP_REASON_FRAGMENT_TINY;
	return start ? start : reason;
}

#endif

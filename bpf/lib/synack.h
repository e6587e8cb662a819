/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_SYNACK_H
#define SALLYPORT_LIB_SYNACK_H
/* The bytes of a SYN+ACK, made of the SYN that it answers. */
#include "cookie.h"
#include "offer.h"

/* A TCP header with the option MSS; with a time stamp and SACK; with a window scale too. */
#define SP_SYNACK_BYTES 24u
#define SP_SYNACK_STAMPED 36u
#define SP_SYNACK_SCALED 40u
/* Ten segments, what a sender begins with (RFC 6928): in any receive buffer. */
#define SP_SYNACK_WINDOW 14600u

struct synack {
	__u8 macs[12];
	__u8 ip[SP_IP_BYTES];
	struct sp_offer_key listener;
	struct sp_offer offer;
	struct tcp_options asked; /* its header: first the SYN's, then the answer's */
};

static __always_inline void put16(__u8 *to, __u32 value)
{
	to[0] = (__u8)(value >> 8);
	to[1] = (__u8)value;
}

static __always_inline void put32(__u8 *to, __u32 value)
{
	put16(to, value >> 16);
	put16(to + 2, value);
}

/* RFC 1071, of an even number of bytes. */
static __always_inline __u32 sum_of(const __u8 *bytes, __u32 len)
{
	__u32 sum = 0;

	for (__u32 i = 0; i < len; i += 2)
		sum += (__u32)bytes[i] << 8 | bytes[i + 1];
	return sum;
}

static __always_inline __u32 fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

/* Of a pseudo header. What makes an IPv4 address a mapped one adds nothing: ffff is zero. */
static __always_inline __u32 sum_of_ends(const struct packet *p, __u32 size)
{
	return sum_of(p->src.bytes, 16) + sum_of(p->dst.bytes, 16) + SP_PROTO_TCP + size;
}

/* The listener's MSS, when it is known, and no more than this interface can take now. */
static __always_inline __u32 mss_of(struct xdp_md *ctx, __u32 headers, __u32 known)
{
	__u32 mtu = 0;

	if (bpf_check_mtu(ctx, 0, &mtu, 0, 0) < 0 || mtu < 576)
		mtu = 576;
	mtu = mtu > 65535 ? 65535 : mtu;
	return known && known < mtu - headers ? known : mtu - headers;
}

static __always_inline void write_ip(const struct packet *p, __u8 *ip, __u32 size)
{
	__builtin_memset(ip, 0, SP_IP_BYTES);
	if (p->family == 4) {
		ip[0] = 0x45;
		put16(ip + 2, 20 + size);
		ip[6] = 0x40; /* don't fragment */
		ip[8] = 64;
		ip[9] = SP_PROTO_TCP;
		__builtin_memcpy(ip + 12, &p->dst.words[3], 4);
		__builtin_memcpy(ip + 16, &p->src.words[3], 4);
		put16(ip + 10, fold(sum_of(ip, 20)));
		return;
	}
	ip[0] = 0x60;
	put16(ip + 4, size);
	ip[6] = SP_PROTO_TCP;
	ip[7] = 64;
	__builtin_memcpy(ip + 8, p->dst.bytes, 16);
	__builtin_memcpy(ip + 24, p->src.bytes, 16);
}

/*
 * The stack's own time stamp of a cookie: its milliseconds, the low six bits of which say
 * what was agreed; never in the future, or what it sends next would be of the past.
 */
static __always_inline __u32 stamp_of(__u32 options)
{
	__u64 now = bpf_ktime_get_ns() / 1000000ull, stamp = (now & ~63ull) | options;

	return (__u32)(stamp > now ? stamp - 64 : stamp);
}

/* Behind the MSS what both sides have, in the stack's order. How long the header is. */
static __always_inline __u32 write_options(struct synack *w)
{
	__u32 marks = w->asked.marks & w->offer.marks, sack = marks & SP_TCP_HAS_SACK;
	__u32 scaled = w->asked.scale && w->offer.scale;
	__u8 *tcp = w->asked.header;

	/* Without a time stamp there is nothing that keeps what was agreed. */
	if (!(marks & SP_TCP_HAS_STAMP))
		return SP_SYNACK_BYTES;
	tcp[24] = sack ? 4 : 1;
	tcp[25] = sack ? 2 : 1;
	tcp[26] = 8;
	tcp[27] = 10;
	put32(tcp + 28, stamp_of((scaled ? w->asked.scale - 1u : 15u) | (sack ? 16 : 0)));
	put32(tcp + 32, w->asked.stamp);
	if (!scaled)
		return SP_SYNACK_STAMPED;
	tcp[36] = 1;
	tcp[37] = 3;
	tcp[38] = 3;
	tcp[39] = w->offer.scale - 1;
	return SP_SYNACK_SCALED;
}

static __always_inline __u32 write_tcp(struct xdp_md *ctx, const struct packet *p, struct synack *w,
				       __u32 cookie)
{
	__u8 *tcp = w->asked.header;
	__u32 asked = get32(tcp + 4), size;

	__builtin_memset(tcp, 0, SP_SYNACK_SCALED);
	put16(tcp, p->dst_port);
	put16(tcp + 2, p->src_port);
	put32(tcp + 4, cookie);
	put32(tcp + 8, asked + 1);
	tcp[13] = SP_TCP_SYN | SP_TCP_ACK;
	put16(tcp + 14, SP_SYNACK_WINDOW);
	tcp[20] = 2; /* MSS (RFC 9293) */
	tcp[21] = 4;
	put16(tcp + 22, mss_of(ctx, p->family == 4 ? 40 : 60, w->offer.mss));
	size = write_options(w);
	tcp[12] = (__u8)(size / 4 << 4);
	put16(tcp + 16, fold(sum_of_ends(p, size) + sum_of(tcp, SP_SYNACK_SCALED)));
	return size;
}

#endif

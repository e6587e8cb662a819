/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_SYNACK_H
#define SALLYPORT_LIB_SYNACK_H
/* The bytes of a SYN+ACK, made of the SYN that it answers. */
#include "cookie.h"

#define SP_SYNACK_BYTES 24u /* a TCP header, and the option MSS */
/* Ten segments, what a sender begins with (RFC 6928): in any receive buffer. */
#define SP_SYNACK_WINDOW 14600u

struct synack {
	__u8 macs[12];
	__u8 ip[SP_IP_BYTES];
	__u8 tcp[60]; /* first the SYN's, with its options */
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
static __always_inline __u32 sum_of_ends(const struct packet *p)
{
	return sum_of(p->src.bytes, 16) + sum_of(p->dst.bytes, 16) + SP_PROTO_TCP + SP_SYNACK_BYTES;
}

/* The MSS that this interface can take. */
static __always_inline __u32 mss_of(struct xdp_md *ctx, __u32 headers)
{
	__u32 mtu = 0;

	if (bpf_check_mtu(ctx, 0, &mtu, 0, 0) < 0 || mtu < 576)
		mtu = 576;
	mtu = mtu > 65535 ? 65535 : mtu;
	return mtu - headers;
}

static __always_inline void write_ip(const struct packet *p, __u8 *ip)
{
	__builtin_memset(ip, 0, SP_IP_BYTES);
	if (p->family == 4) {
		ip[0] = 0x45;
		put16(ip + 2, 20 + SP_SYNACK_BYTES);
		ip[6] = 0x40; /* don't fragment */
		ip[8] = 64;
		ip[9] = SP_PROTO_TCP;
		__builtin_memcpy(ip + 12, &p->dst.words[3], 4);
		__builtin_memcpy(ip + 16, &p->src.words[3], 4);
		put16(ip + 10, fold(sum_of(ip, 20)));
		return;
	}
	ip[0] = 0x60;
	put16(ip + 4, SP_SYNACK_BYTES);
	ip[6] = SP_PROTO_TCP;
	ip[7] = 64;
	__builtin_memcpy(ip + 8, p->dst.bytes, 16);
	__builtin_memcpy(ip + 24, p->src.bytes, 16);
}

static __always_inline void write_tcp(struct xdp_md *ctx, const struct packet *p, __u8 *tcp,
				      __u32 cookie)
{
	__u32 asked = (__u32)tcp[4] << 24 | (__u32)tcp[5] << 16 | (__u32)tcp[6] << 8 | tcp[7];

	__builtin_memset(tcp, 0, SP_SYNACK_BYTES);
	put16(tcp, p->dst_port);
	put16(tcp + 2, p->src_port);
	put32(tcp + 4, cookie);
	put32(tcp + 8, asked + 1);
	tcp[12] = SP_SYNACK_BYTES / 4 << 4;
	tcp[13] = SP_TCP_SYN | SP_TCP_ACK;
	put16(tcp + 14, SP_SYNACK_WINDOW);
	tcp[20] = 2; /* MSS (RFC 9293) */
	tcp[21] = 4;
	put16(tcp + 22, mss_of(ctx, p->family == 4 ? 40 : 60));
	put16(tcp + 16, fold(sum_of_ends(p) + sum_of(tcp, SP_SYNACK_BYTES)));
}

#endif

/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SALLYPORT_ABI_LINES_H
#define SALLYPORT_ABI_LINES_H
/* Ports on lines, addresses in tries: what is asked for, and by whom. */
#include "base.h"

/*
 * Every thing a rule can name beside addresses lies on one line, the "service
 * line" of a direction: TCP ports, UDP ports, SCTP ports, UDP-Lite ports, then
 * one place per IP protocol, ICMP type and ICMPv6 type. sp_ports maps a place
 * to its port class, 0 when no rule names it.
 */
#define SP_LINE_TCP 0u
#define SP_LINE_UDP 65536u
#define SP_LINE_SCTP 131072u
#define SP_LINE_UDPLITE 196608u
#define SP_LINE_PROTO 262144u
#define SP_LINE_ICMP4 (SP_LINE_PROTO + 256u)
#define SP_LINE_ICMP6 (SP_LINE_PROTO + 512u)
#define SP_LINE_END (SP_LINE_PROTO + 768u)

struct sp_chunk {
	__u16 words[SP_CHUNK_WORDS];
};
SP_ASSERT_SIZE(struct sp_chunk, 64);

/* Elements of the sp_ports map: the three directions' lines one after the other. */
#define SP_PORT_CHUNKS (SP_DIRECTIONS * SP_LINE_END / SP_CHUNK_WORDS)

struct sp_bits {
	__u64 words[8];
};
SP_ASSERT_SIZE(struct sp_bits, 64);

/* Keys of the tries; the value is the address class as __u32. */
struct sp_v4_key {
	__u32 prefix_len; /* 0..32 */
	__u8 addr[4];
};
SP_ASSERT_SIZE(struct sp_v4_key, 8);

struct sp_v6_key {
	__u32 prefix_len; /* 0..128 */
	__u8 addr[16];
};
SP_ASSERT_SIZE(struct sp_v6_key, 20);

/*
 * The IPv6 bitmap is hashed by what sp_v6_bit() makes of the address's first
 * 16, 32 or 48 bits. A prefix of the trie sets the bit of the longest of these
 * levels that is not longer than itself; one shorter than /16 sets those of
 * all /16 it contains. Levels in use are named in sp_slot.v6_levels.
 */
#define SP_V6_LEVEL_16 1u
#define SP_V6_LEVEL_32 2u
#define SP_V6_LEVEL_48 4u

/* first48: the address's first 48 bits as a number, those below the level zero. */
static inline __attribute__((always_inline)) __u32 sp_v6_bit(__u64 first48, __u32 level)
{
	__u64 x = (first48 << 3 | level) * 0x9e3779b97f4a7c15ull;

	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ull;
	return (__u32)(x >> 40); /* 24 bits: SP_V6_BITS */
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_FLOW_SET_H
#define SALLYPORT_LIB_FLOW_SET_H
/*
 * The flow table. State is only born of what the host itself sends or of a
 * socket that exists, never of a stranger's packet. Each flow has two candidate
 * sets of eight by a hash with a secret; the lock of a set guards its entries
 * (it disables interrupts, so XDP on top of TC on the same CPU cannot deadlock;
 * kernels and architectures all have it, which cannot be said of a sequence
 * count without read barriers). A tag line is read without the lock: it only
 * says where not to look.
 */
#include "view.h"

struct flow_place {
	__u32 sets[2];
	__u8 tag; /* never 0 */
};

static __always_inline struct flow_place flow_place_of(const struct sp_flow_key *key)
{
	const __u64 *words = (const __u64 *)key;
	__u64 h = sp_settings.secret[0];
	struct flow_place place;
	__u32 sets = sp_settings.flow_sets;

	for (int i = 0; i < 5; i++) {
		h = (h ^ words[i]) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 32;
	}
	h = (h ^ sp_settings.secret[1]) * 0xd6e8feb86659fd93ull;
	h ^= h >> 29;
	/* Multiply-shift instead of a remainder: any number of sets, no division. */
	place.sets[0] = (__u32)((h & 0xffffffff) * sets >> 32);
	place.sets[1] = (__u32)((h >> 32) * sets >> 32);
	/* Of the low bits: the sets are made of the high ones of both halves. */
	place.tag = (__u8)h | 1;
	return place;
}

static __always_inline __u64 is_same_key(const struct sp_flow_key *a, const struct sp_flow_key *b)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

	return is_zero((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) |
		       (x[4] ^ y[4]));
}

static __always_inline __u64 is_free(const struct sp_flow *f)
{
	return is_zero(f->idle_s);
}

/* Its life is over; also true of a free entry. */
static __always_inline __u64 is_over(const struct sp_flow *f, __u32 now)
{
	/* Signed: a CPU whose clock has just ticked may have seen it a second "after" now. */
	__u64 over = (__u64)f->idle_s - (__u64)(__s64)(__s32)(now - f->seen_s);

	barrier_var(over);
	over >>= 63;
	barrier_var(over);
	return over | is_free(f);
}

/* Index of the lowest bit set among the lowest eight; 0 when there is none. */
static __always_inline __u32 lowest_of(__u64 mask)
{
	__u64 low = mask & -mask;

	return (__u32)((is_zero(low & 0xaa) ^ 1) | (is_zero(low & 0xcc) ^ 1) << 1 |
		       (is_zero(low & 0xf0) ^ 1) << 2);
}

/* Does any byte of the tag line equal the tag? May say yes for a near miss, never no for a hit. */
static __always_inline int may_hold(__u64 tags, __u8 tag)
{
	__u64 x = tags ^ tag * 0x0101010101010101ull;

	return ((x - 0x0101010101010101ull) & ~x & 0x8080808080808080ull) != 0;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_LIMIT_KEY_H
#define SALLYPORT_LIB_LIMIT_KEY_H
/* What a limit counts by: a source, its /48, a conversation; and where that is kept. */
#include "address.h"
#include "packet.h"
#include "view.h"
#include "window.h"

/* Who opens, under which rule. */
struct beginning {
	struct sp_addr src;
	__u32 limit;   /* number in sp_limits + 1 */
	__u32 counter; /* sp_rule.counter */
	__u16 src_port;
	__u16 dst_port;
	__u32 proto;
	__u16 proven; /* 1: the source is who it says: its ACK bore a cookie */
	__u16 plain;  /* 1: it cannot be asked to prove it: there is no cookie to give */
};

/* What a limit says of it. */
#define SP_BEGIN_REFUSED 0
#define SP_BEGIN_MAY 1
#define SP_BEGIN_PROVE 2   /* when it has proved its address; with one or both of: */
#define SP_BEGIN_UNASKED 4 /* XDP answers SYNs, so nothing else was asked */
#define SP_BEGIN_CALM 8	   /* nor is it more than all may send together */

static __always_inline const struct sp_limit *limit_of(__u32 slot, const struct beginning *b)
{
	void *limits = bpf_map_lookup_elem(&sp_limits, &slot);
	__u32 number = b->limit - 1;

	return limits ? bpf_map_lookup_elem(limits, &number) : 0;
}

static __always_inline struct sp_limit_state *limit_state_of(const struct beginning *b)
{
	__u32 counter = b->counter;

	return bpf_map_lookup_elem(&sp_limit_states, &counter);
}

/* The prefix that the address belongs to. `length` counts from the first of 128 bits. */
static __always_inline void cut_address(struct sp_addr *to, const struct sp_addr *from,
					__u32 length)
{
	for (__u32 i = 0; i < 4; i++) {
		__u32 bits = length > 32 * i ? length - 32 * i : 0;

		bits = bits > 32 ? 32 : bits;
		to->words[i] = from->words[i] & bpf_htonl((__u32)(0xffffffff00000000ull >> bits));
	}
}

/* 64:ff9b::/96 (RFC 6052): an IPv4 host each. */
static __always_inline int is_nat64(const struct sp_addr *a)
{
	return a->words[0] == bpf_htonl(0x0064ff9b) && a->words[1] == 0 && a->words[2] == 0;
}

static __always_inline __u32 source_length(const struct sp_limit *limit, const struct sp_addr *a)
{
	if (is_mapped(a))
		return 96 + limit->prefix4;
	return is_nat64(a) ? 128 : limit->prefix6;
}

static __always_inline __u64 bucket_hash(const struct sp_bucket_key *key)
{
	const __u64 *words = (const __u64 *)key;
	__u64 h = sp_settings.secret[1];

	for (int i = 0; i < 3; i++) {
		h = (h ^ words[i]) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 32;
	}
	return (h ^ sp_settings.secret[0]) * 0xd6e8feb86659fd93ull;
}

static __always_inline struct sp_bucket_set *bucket_set_of(const struct sp_bucket_key *key)
{
	__u32 index = (__u32)(bucket_hash(key) >> 32) % SP_BUCKET_SETS;

	return bpf_map_lookup_elem(&sp_buckets, &index);
}

static __always_inline void limited_source_of(struct sp_bucket_key *key,
					      const struct sp_limit *limit,
					      const struct beginning *b)
{
	cut_address(&key->addr, &b->src, source_length(limit, &b->src));
	key->owner = b->counter | SP_BUCKET_SOURCE;
	if (limit->window_ns) {
		key->owner |= SP_BUCKET_WINDOW;
		/* Counts of a window of another length mean nothing in this one. */
		key->src_port = (__u16)(limit->window_ns / 1000000000ull);
		key->dst_port = (__u16)(limit->window_ns / 1000000000ull >> 16);
	}
}

static __always_inline int has_group(const struct sp_limit *limit, const struct beginning *b)
{
	return limit->group.interval_ns != 0 && !is_mapped(&b->src) && !is_nat64(&b->src);
}

static __always_inline void group_of(struct sp_bucket_key *key, const struct beginning *b)
{
	cut_address(&key->addr, &b->src, SP_LIMIT_GROUP6);
	key->owner = b->counter | SP_BUCKET_GROUP;
}

static __always_inline void conversation_of(struct sp_bucket_key *key, const struct beginning *b)
{
	key->addr = b->src;
	key->owner = b->counter | SP_BUCKET_CONVERSATION;
	key->src_port = b->src_port;
	key->dst_port = b->dst_port;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_PAID_H
#define SALLYPORT_LIB_PAID_H
/*
 * SYNs that were counted and that the stack answered by a cookie of its own. An ACK
 * does not say who gave its cookie; but no more connections of a source come by
 * unpaid than SYNs of it were. Where the memory has no room the ACK pays again.
 */
#include "limit_key.h"

#define SP_PAID_TRIES 4

static __always_inline __u64 hash_of_source(const struct sp_limit *limit, const struct beginning *b)
{
	struct sp_bucket_key key = {};

	limited_source_of(&key, limit, b);
	return bucket_hash(&key);
}

static __always_inline struct sp_paid_set *paid_set_of(__u64 hash)
{
	__u32 index = (__u32)(hash >> 32) % SP_PAID_SETS;

	return bpf_map_lookup_elem(&sp_paid, &index);
}

/* The stack answers a SYN that was counted. */
SP_GLOBAL int note_paid(__u32 slot, const struct beginning *b)
{
	const struct sp_limit *limit = b ? limit_of(slot, b) : 0;
	__u64 hash, old, next, now = sp_clock_ns();
	struct sp_paid_set *set;
	__u32 at;

	if (!b || !limit || asking())
		return 0;
	hash = hash_of_source(limit, b);
	set = paid_set_of(hash);
	for (int i = 0; set && i < SP_PAID_TRIES; i++) {
		at = paid_place(set, hash & 0xffffff, now);
		if (at >= SP_PAID_WAYS)
			return 0;
		old = *(volatile __u64 *)&set->words[at];
		next = paid_more(old, hash & 0xffffff, now);
		if (next == old)
			return 0;
		if (__sync_val_compare_and_swap(&set->words[at], old, next) == old)
			return 1;
	}
	return 0;
}

/* Is this connection one that was paid for? Then it no longer is. */
SP_GLOBAL int take_paid(__u32 slot, const struct beginning *b)
{
	const struct sp_limit *limit = b ? limit_of(slot, b) : 0;
	__u64 hash, old, next, now = sp_clock_ns();
	struct sp_paid_set *set;
	__u32 at;

	if (!b || !limit)
		return 0;
	hash = hash_of_source(limit, b);
	set = paid_set_of(hash);
	for (int i = 0; set && i < SP_PAID_TRIES; i++) {
		at = paid_place(set, hash & 0xffffff, now);
		if (at >= SP_PAID_WAYS)
			return 0;
		old = *(volatile __u64 *)&set->words[at];
		next = paid_less(old, hash & 0xffffff, now);
		if (next == old)
			return 0;
		if (asking() || __sync_val_compare_and_swap(&set->words[at], old, next) == old)
			return 1;
	}
	return 0;
}

#endif

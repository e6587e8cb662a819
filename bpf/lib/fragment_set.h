/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_FRAGMENT_SET_H
#define SALLYPORT_LIB_FRAGMENT_SET_H
/*
 * The table of admitted first fragments, by datagram, and entering one. In the
 * loops over a set no branches, as in flow_set.h.
 */
#include "flow_set.h"

static __always_inline __u32 fragment_set_of(const struct sp_fragment_key *key)
{
	const __u64 *words = (const __u64 *)key;
	__u64 h = sp_settings.secret[1];

	for (int i = 0; i < 6; i++) {
		h = (h ^ words[i]) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 32;
	}
	h = (h ^ sp_settings.secret[0]) * 0xd6e8feb86659fd93ull;
	return (__u32)(h >> 32) % SP_FRAGMENT_SETS;
}

static __always_inline __u64 is_same_datagram(const struct sp_fragment_key *a,
					      const struct sp_fragment_key *b)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

	return is_zero((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) |
		       (x[4] ^ y[4]) | (x[5] ^ y[5]));
}

/* Its two seconds are over; also true of a free entry. */
static __always_inline __u64 is_gone(const struct sp_fragment *f, __u64 now)
{
	/* Signed: another CPU may have entered it a tick "after" now. */
	__u64 over = SP_FRAGMENT_LIFE_NS - (now - f->since_ns);

	barrier_var(over);
	over >>= 63;
	barrier_var(over);
	return over | is_zero(f->since_ns);
}

/* Which entries of a set are of the key's datagram, and which are free; a bit each. */
static __always_inline __u64 find_entries(const struct sp_fragment_set *set,
					  const struct sp_fragment_key *key, __u64 now, __u64 *gone)
{
	__u64 same = 0, free = 0;

	for (int i = 0; i < SP_FRAGMENT_WAYS; i++) {
		const struct sp_fragment *f = &set->entries[i];
		__u64 is_free = is_gone(f, now) & 1;

		same |= (is_same_datagram(&f->key, key) & ~is_free & 1) << i;
		free |= is_free << i;
	}
	*gone = free;
	return same;
}

/* Under the lock. The first of two firsts stands, as it does in the stack. */
static __always_inline enum sp_reason enter_locked(struct sp_fragment_set *set,
						   const struct sp_fragment *first, int write)
{
	const struct sp_fragment *known;
	__u64 same, gone;

	same = find_entries(set, &first->key, first->since_ns, &gone);
	if (same) {
		known = &set->entries[lowest_of(same) & (SP_FRAGMENT_WAYS - 1)];
		return known->src_port == first->src_port && known->dst_port == first->dst_port &&
			       known->proto == first->proto
			   ? SP_REASON_FRAGMENT_OVERLAP
			   : SP_REASON_FRAGMENT_CONFLICT;
	}
	if (!gone)
		return SP_REASON_FRAGMENT_FULL;
	if (write)
		set->entries[lowest_of(gone) & (SP_FRAGMENT_WAYS - 1)] = *first;
	return SP_REASON_NONE;
}

/* Enters an admitted first fragment; or why it may not pass after all. */
SP_GLOBAL int enter_fragment(const struct sp_fragment *first)
{
	struct sp_fragment_set *set;
	enum sp_reason reason;
	int write = !asking();
	__u32 index;

	if (!first)
		return SP_REASON_INTERNAL;
	index = fragment_set_of(&first->key);
	set = bpf_map_lookup_elem(&sp_fragments, &index);
	if (!set)
		return SP_REASON_INTERNAL;
	bpf_spin_lock(&set->lock);
	reason = enter_locked(set, first, write);
	bpf_spin_unlock(&set->lock);
	return (int)reason;
}

#endif

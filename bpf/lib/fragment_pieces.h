/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_FRAGMENT_PIECES_H
#define SALLYPORT_LIB_FRAGMENT_PIECES_H
/* The pieces that follow a first fragment: each has its place, and none comes twice. */
#include "fragment_set.h"
#include "parse_fragment.h"

/* All bits of the pieces 0 to `last` that lie in one word, which begins at bit 0 of `last`. */
static __always_inline __u64 bits_to(__u32 last)
{
	return (2ull << last) - 1; /* 2 << 63 is 0: all of them */
}

/* Marks the piece as seen; the entry is free when that was all. */
static __always_inline void mark_piece(struct sp_fragment *f, __u32 number, int more)
{
	__u64 low, high;

	f->pieces[number >> 6 & 1] |= 1ull << (number & 63);
	if (!more)
		f->last = (__u8)number;
	if (!f->last)
		return;
	low = f->last > 63 ? ~0ull : bits_to(f->last & 63);
	high = f->last > 63 ? bits_to(f->last & 63) : 0;
	if (f->pieces[0] == low && f->pieces[1] == high)
		f->since_ns = 0;
}

/* Under the lock: may this piece stand beside those that were seen? */
static __always_inline enum sp_reason place_piece(struct sp_fragment *f, const struct piece *piece,
						  int write)
{
	__u32 step = f->step, number;
	__u64 seen, behind;

	if (step == 0)
		return SP_REASON_FRAGMENT_OVERLAP;
	number = piece->offset / step;
	if (number * step != piece->offset || number >= SP_FRAGMENT_PIECES || number == 0 ||
	    (piece->more ? piece->len != step : piece->len > step))
		return SP_REASON_FRAGMENT_OVERLAP;
	/* Nothing comes behind the last, and there is but one. */
	if (f->last && (number > f->last || !piece->more))
		return SP_REASON_FRAGMENT_OVERLAP;
	seen = number > 63 ? f->pieces[1] : f->pieces[0];
	behind = seen & ~bits_to(number & 63);
	if (number <= 63)
		behind |= f->pieces[1];
	if (seen >> (number & 63) & 1 || (!piece->more && behind))
		return SP_REASON_FRAGMENT_OVERLAP;
	if (write)
		mark_piece(f, number, piece->more);
	return SP_REASON_NONE;
}

/* How a first was judged, for those that follow it. */
struct followed {
	__u32 counter;
	__u16 rule;
	__u8 direction;
	__u8 spare;
};

static __always_inline enum sp_reason follow_locked(struct sp_fragment_set *set,
						    const struct sp_fragment_key *key,
						    const struct piece *piece, __u64 now, int write,
						    struct followed *first)
{
	struct sp_fragment *f;
	__u64 same, gone;

	same = find_entries(set, key, now, &gone);
	if (!same)
		return SP_REASON_FRAGMENT_ORPHAN;
	f = &set->entries[lowest_of(same) & (SP_FRAGMENT_WAYS - 1)];
	first->counter = f->counter;
	first->rule = f->rule;
	first->direction = f->direction;
	return place_piece(f, piece, write);
}

/* A later fragment: none when it follows an admitted first one, else why it may not pass. */
SP_GLOBAL int follow_fragment(const struct sp_fragment_key *key, const struct piece *piece,
			      struct followed *first)
{
	__u64 now = bpf_ktime_get_coarse_ns();
	struct sp_fragment_set *set;
	enum sp_reason reason;
	int write = !asking();
	__u32 index;

	if (!key || !piece || !first)
		return SP_REASON_INTERNAL;
	index = fragment_set_of(key);
	set = bpf_map_lookup_elem(&sp_fragments, &index);
	if (!set)
		return SP_REASON_INTERNAL;
	bpf_spin_lock(&set->lock);
	reason = follow_locked(set, key, piece, now, write, first);
	bpf_spin_unlock(&set->lock);
	return (int)reason;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_FLOW_EVICT_H
#define SALLYPORT_LIB_FLOW_EVICT_H
/* What gives way to a flow that found no room. */
#include "flow_set.h"

/*
 * Who sends from the inside, for shares of the table: the interface, and below it the
 * address, so that who forges addresses has no more than his interface's share.
 */
static __always_inline __u32 source_of(__u32 ifindex, const struct sp_addr *a)
{
	__u64 x = (a->halves[0] ^ sp_settings.secret[0]) * 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 32 ^ a->halves[1]) * 0xd6e8feb86659fd93ull;
	return ifindex << 16 | (__u32)(x >> 48);
}

/* Opened from outside: its rule, or its socket, readmits it. */
static __always_inline __u64 was_asked_for(const struct sp_flow *f)
{
	return is_zero(f->direction ^ SP_INGRESS) &
	       (is_zero(f->generation ^ SP_GENERATION_KEPT) ^ 1) & (is_free(f) ^ 1);
}

static __always_inline __u64 is_routed(const struct sp_flow *f)
{
	return is_zero(f->direction ^ SP_FORWARD) & (is_free(f) ^ 1);
}

/* x >= y of small numbers, without a branch. */
static __always_inline __u64 reaches(__u64 x, __u64 y)
{
	__u64 below = x - y;

	barrier_var(below);
	return (below >> 63) ^ 1;
}

/* What two flows have in common: 16 for the interface, 1 more for the source on it. */
static __always_inline __u64 kinship(__u32 a, __u32 b)
{
	return is_zero((a ^ b) >> 16) << 4 | is_zero(a ^ b);
}

/* A byte an entry: the kinship of all other routed flows of the set to it. */
static __always_inline __u64 weigh(const struct sp_flow_set *set)
{
	__u64 weights = 0;

	for (int i = 0; i < SP_FLOW_WAYS; i++) {
		barrier(); /* eight sources kept on the stack would not fit there */
		for (int j = i + 1; j < SP_FLOW_WAYS; j++) {
			const struct sp_flow *a = &set->flows[i], *b = &set->flows[j];

			weights += kinship(a->source, b->source) * (is_routed(a) & is_routed(b)) *
				   (1ull << (8 * i) | 1ull << (8 * j));
		}
	}
	return weights;
}

/*
 * 1 + the entry that a flow of `source` may take: one of an interface that has more than
 * its own, or of a source on its own that has more than itself; of these the heaviest's,
 * unanswered first. The host's own flow takes from whoever is the heaviest. 0: none.
 */
static __always_inline __u32 heaviest(const struct sp_flow_set *set, const struct sp_flow *to)
{
	__u64 own = is_zero(to->direction ^ SP_EGRESS), best = 0, kin = 0, weights = weigh(set);

	for (int i = 0; i < SP_FLOW_WAYS; i++) {
		barrier();
		kin += kinship(set->flows[i].source, to->source) * is_routed(&set->flows[i]);
	}
	for (int i = 0; i < SP_FLOW_WAYS; i++) {
		const struct sp_flow *f = &set->flows[i];
		/* The entry itself is one more of either. */
		__u64 weight = (weights >> (8 * i) & 0xff) + 0x11;
		__u64 may, score, better;

		barrier();
		may = own | reaches(weight >> 4, (kin >> 4) + 2) |
		      (kinship(f->source, to->source) >> 4 & reaches(weight & 15, (kin & 15) + 2));
		score = weight << 4 | (~f->state & SP_FLOW_CONFIRMED) << 3 |
			(__u64)(SP_FLOW_WAYS - 1 - i);
		score = (score + 1) * (may & is_routed(f));
		better = -reaches(score, best + 1);
		best ^= (best ^ score) & better;
	}
	return best ? SP_FLOW_WAYS - (__u32)((best - 1) & (SP_FLOW_WAYS - 1)) : 0;
}

static __always_inline int take_in_set(__u32 index, const struct sp_flow *flow, __u8 tag)
{
	struct sp_flow_set *set = bpf_map_lookup_elem(&sp_flows, &index);
	__u64 asked = 0;
	__u32 i, found = 0;

	if (!set)
		return 0;
	bpf_spin_lock(&set->lock);
	for (int at = 0; at < SP_FLOW_WAYS; at++)
		asked |= was_asked_for(&set->flows[at]) << at;
	found = asked ? lowest_of(asked) + 1 : heaviest(set, flow);
	if (found) {
		i = (found - 1) & (SP_FLOW_WAYS - 1);
		set->flows[i] = *flow;
		set->tags = (set->tags & ~(0xffull << (8 * i))) | (__u64)tag << (8 * i);
	}
	bpf_spin_unlock(&set->lock);
	return found != 0;
}

/*
 * For a flow that this host opens, or routes, and that found no room: it takes the place
 * of one that was opened from outside, else of one that is routed for somebody who has more
 * of the set than its own sender. Whoever floods a service that answers, or a box that may
 * send anything, makes entries, and must not shut the way out for others. `which` of its two
 * sets, one a call for the sake of the stack. 0: there is none.
 * One for all programs (it reads no clock): checked once a path it would double the cost of
 * sp_nf_forward.
 */
__weak __noinline int take_place(const struct sp_flow *flow, __u32 which)
{
	struct flow_place place;

	if (!flow)
		return 0;
	place = flow_place_of(&flow->key);
	return take_in_set(which ? place.sets[1] : place.sets[0], flow, place.tag);
}

#endif

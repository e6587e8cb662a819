/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_FLOW_EVICT_H
#define SALLYPORT_LIB_FLOW_EVICT_H
/* What gives way to a flow that found no room. */
#include "flow_set.h"

/*
 * Opened from outside, or for a flow of this host's own also routed: its rule, or its
 * socket, readmits it.
 */
static __always_inline __u64 gives_way(const struct sp_flow *f, const struct sp_flow *to)
{
	__u64 routed = is_zero(f->direction ^ SP_FORWARD) & is_zero(to->direction ^ SP_EGRESS);

	return (is_zero(f->direction ^ SP_INGRESS) | routed) &
	       (is_zero(f->generation ^ SP_GENERATION_KEPT) ^ 1) & (is_free(f) ^ 1);
}

static __always_inline int take_in_set(__u32 index, const struct sp_flow *flow, __u8 tag)
{
	struct sp_flow_set *set = bpf_map_lookup_elem(&sp_flows, &index);
	__u64 asked = 0;
	__u32 i;

	if (!set)
		return 0;
	bpf_spin_lock(&set->lock);
	for (int at = 0; at < SP_FLOW_WAYS; at++)
		asked |= gives_way(&set->flows[at], flow) << at;
	if (asked) {
		i = lowest_of(asked) & (SP_FLOW_WAYS - 1);
		set->flows[i] = *flow;
		set->tags = (set->tags & ~(0xffull << (8 * i))) | (__u64)tag << (8 * i);
	}
	bpf_spin_unlock(&set->lock);
	return asked != 0;
}

/*
 * For a flow that this host opens, or routes, and that found no room: it takes the place
 * of one that was opened from outside, or, if it is the host's own, of a routed one. Whoever
 * floods a service that answers, or a box that may send anything, makes entries, and must
 * not shut the way out. 0 when there is none.
 */
SP_GLOBAL int take_place(const struct sp_flow *flow)
{
	struct flow_place place;

	if (!flow)
		return 0;
	place = flow_place_of(&flow->key);
	return take_in_set(place.sets[0], flow, place.tag) ||
	       take_in_set(place.sets[1], flow, place.tag);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_FLOW_PUT_H
#define SALLYPORT_LIB_FLOW_PUT_H
/* Entering a flow. */
#include "flow_set.h"

static __always_inline __u64 load_of(const struct sp_flow_set *set, __u32 now)
{
	__u64 live = SP_FLOW_WAYS;

	for (int i = 0; i < SP_FLOW_WAYS; i++)
		live -= is_over(&set->flows[i], now);
	return live;
}

enum put_result { PUT_FULL = 0, PUT_FRESH = 1, PUT_REPLACED = 2 };

/* Entries by what they are good for, a bit each. */
struct put_choice {
	__u64 same;
	__u64 expired;
	__u64 free;
	__u64 unanswered;
};

static __always_inline void look_at(const struct sp_flow *f, const struct sp_flow *flow, int i,
				    struct put_choice *c)
{
	__u64 free = is_free(f);

	c->same |= (is_same_key(&f->key, &flow->key) & ~free & 1) << i;
	c->expired |= (is_over(f, flow->seen_s) & ~free & 1) << i;
	c->free |= free << i;
	c->unanswered |= (__u64)(~f->state & SP_FLOW_CONFIRMED) << i;
}

/* What a flow may take beside an expired entry. */
enum put_taking {
	TAKE_FREE = 0,
	TAKE_NOTHING = 1,    /* the table as a whole is full */
	TAKE_UNANSWERED = 2, /* for a confirmed flow: one that nobody has answered */
};

/* Under the lock: over the entry of the same key, else an expired one, else what it may take. */
static __always_inline enum put_result
put_locked(struct sp_flow_set *set, const struct sp_flow *flow, __u8 tag, enum put_taking taking)
{
	enum put_result result = PUT_REPLACED;
	struct put_choice c = {};
	__u64 pick;
	__u32 i;

	for (int at = 0; at < SP_FLOW_WAYS; at++)
		look_at(&set->flows[at], flow, at, &c);
	pick = c.same ? c.same : c.expired;
	if (!pick && taking == TAKE_FREE) {
		pick = c.free;
		result = PUT_FRESH;
	}
	if (!pick && taking == TAKE_UNANSWERED)
		pick = c.unanswered & ~c.free;
	if (!pick)
		return PUT_FULL;
	i = lowest_of(pick) & (SP_FLOW_WAYS - 1);
	set->flows[i] = *flow;
	set->tags = (set->tags & ~(0xffull << (8 * i))) | (__u64)tag << (8 * i);
	return result;
}

static __always_inline enum put_result
put_in_set(struct sp_flow_set *set, const struct sp_flow *flow, __u8 tag, enum put_taking taking)
{
	enum put_result result;

	bpf_spin_lock(&set->lock);
	result = put_locked(set, flow, tag, taking);
	bpf_spin_unlock(&set->lock);
	return result;
}

/* Overwrites the live or expired entry of the same flow. 0 when the set has none. */
static __always_inline int renew_in_set(struct sp_flow_set *set, const struct sp_flow *flow)
{
	struct put_choice c = {};
	__u32 i;

	bpf_spin_lock(&set->lock);
	for (int at = 0; at < SP_FLOW_WAYS; at++)
		look_at(&set->flows[at], flow, at, &c);
	i = lowest_of(c.same) & (SP_FLOW_WAYS - 1);
	if (c.same) {
		__u32 source = flow->source ? flow->source : set->flows[i].source;

		set->flows[i] = *flow;
		set->flows[i].source = source; /* a packet from outside does not name it */
	}
	bpf_spin_unlock(&set->lock);
	return c.same != 0;
}

/*
 * Enters a flow, or renews the one that is there. 0 when both sets, or the
 * table, are full of live flows: the caller refuses the packet by name.
 */
SP_GLOBAL int put_flow(const struct sp_flow *flow)
{
	struct sp_flow_set *a, *b, *set;
	struct flow_place place;
	enum put_result result;
	enum put_taking taking;
	__u32 zero = 0;
	__u64 *count;

	if (!flow)
		return 0;
	place = flow_place_of(&flow->key);
	a = bpf_map_lookup_elem(&sp_flows, &place.sets[0]);
	b = bpf_map_lookup_elem(&sp_flows, &place.sets[1]);
	if (!a || !b || sp_settings.flow_sets == 0)
		return 0;
	/* It may stand in either; entered twice, the older entry would outlive the flow. */
	if ((may_hold(a->tags, place.tag) && renew_in_set(a, flow)) ||
	    (may_hold(b->tags, place.tag) && renew_in_set(b, flow)))
		return 1;
	count = bpf_map_lookup_elem(&sp_flow_count, &zero);
	if (!count)
		return 0;
	set = load_of(a, flow->seen_s) <= load_of(b, flow->seen_s) ? a : b;
	taking = *count >= sp_settings.flow_max ? TAKE_NOTHING : TAKE_FREE;
	result = put_in_set(set, flow, place.tag, taking);
	if (result == PUT_FULL)
		result = put_in_set(set == a ? b : a, flow, place.tag, taking);
	if (result == PUT_FULL && flow->state & SP_FLOW_CONFIRMED)
		result = put_in_set(set, flow, place.tag, TAKE_UNANSWERED);
	if (result == PUT_FULL && flow->state & SP_FLOW_CONFIRMED)
		result = put_in_set(set == a ? b : a, flow, place.tag, TAKE_UNANSWERED);
	if (result == PUT_FRESH)
		__sync_fetch_and_add(count, 1);
	return result != PUT_FULL;
}

#endif

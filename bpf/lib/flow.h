/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_FLOW_H
#define SALLYPORT_LIB_FLOW_H
/* Finding a flow, and what its packets do to it. */
#include "flow_set.h"
#include "packet.h"

#define SP_FLOW_IDLE_OPENING 60u /* not answered yet */
#define SP_FLOW_IDLE_CLOSING 120u
#define SP_FLOW_IDLE_RESET 10u

/* What is known of a flow; generation 0: nothing. */
struct flow_facts {
	__u32 generation;
	__u32 counter;
	__u16 rule;
	__u8 direction;
	__u8 state;
};

/* What a packet does to the flow it belongs to. */
struct flow_touch {
	__u32 now;
	__u32 idle_s;	  /* for a confirmed flow that is not closing */
	__u8 confirm;	  /* this is the other side's first word */
	__u8 tcp_flags;	  /* FIN and RST shorten the life */
	__u8 write;	  /* 0: look only */
	__u8 routed;	  /* not 0: only a flow that is routed is meant */
	__u32 generation; /* not 0: a relayed flow of another one is not renewed */
};

static __always_inline void touch_flow(struct sp_flow *f, const struct flow_touch *t)
{
	if (!t->write)
		return;
	if (t->generation && f->direction == SP_FORWARD && f->generation != t->generation)
		return;
	f->seen_s = t->now;
	if (t->confirm && !(f->state & SP_FLOW_CONFIRMED)) {
		f->state |= SP_FLOW_CONFIRMED;
		f->idle_s = t->idle_s;
	}
	if (t->tcp_flags & SP_TCP_RST) {
		f->state |= SP_FLOW_CLOSING;
		f->idle_s = SP_FLOW_IDLE_RESET;
	} else if (t->tcp_flags & SP_TCP_FIN && !(f->state & SP_FLOW_CLOSING)) {
		f->state |= SP_FLOW_CLOSING;
		f->idle_s = SP_FLOW_IDLE_CLOSING;
	}
}

static __always_inline int find_in_set(__u32 index, const struct sp_flow_key *key, __u8 tag,
				       const struct flow_touch *t, struct flow_facts *facts)
{
	struct sp_flow_set *set = bpf_map_lookup_elem(&sp_flows, &index);
	struct sp_flow *f;
	__u64 hits = 0;

	if (!set || !may_hold(*(volatile __u64 *)&set->tags, tag))
		return 0;
	bpf_spin_lock(&set->lock);
	for (int i = 0; i < SP_FLOW_WAYS; i++)
		hits |=
		    (is_same_key(&set->flows[i].key, key) & ~is_over(&set->flows[i], t->now) & 1)
		    << i;
	if (hits) {
		f = &set->flows[lowest_of(hits) & (SP_FLOW_WAYS - 1)];
		if (t->routed && f->direction != SP_FORWARD) {
			bpf_spin_unlock(&set->lock);
			return 0;
		}
		touch_flow(f, t);
		facts->generation = f->generation;
		facts->counter = f->counter;
		facts->rule = f->rule;
		facts->direction = f->direction;
		facts->state = f->state;
	}
	bpf_spin_unlock(&set->lock);
	return hits != 0;
}

/* 1 and the facts when the flow is known and alive. */
SP_GLOBAL int find_flow(const struct sp_flow_key *key, const struct flow_touch *t,
			struct flow_facts *facts)
{
	struct flow_place place;

	if (!key || !t || !facts)
		return 0;
	place = flow_place_of(key);
	facts->generation = 0;
	facts->counter = 0;
	facts->rule = 0;
	facts->direction = SP_INGRESS;
	facts->state = 0;
	if (sp_settings.forget_flows)
		return 0;
	return find_in_set(place.sets[0], key, place.tag, t, facts) ||
	       find_in_set(place.sets[1], key, place.tag, t, facts);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_PUBLISHED_H
#define SALLYPORT_LIB_PUBLISHED_H
/*
 * A published port on a box behind a NIC that is guarded too. XDP there sees the box's
 * answers before conntrack does, from an address and port that no rule knows: an entry
 * for the tuple as the box has it tells XDP to leave them to the hook behind. To no
 * other hook is it a flow, or whoever may ask the published port could go past it.
 */
#include "routed.h"

/* Of a packet that a peer sends and that may go on to the box. */
static __noinline int note_asked(const struct view *v, struct stand *s, const struct packet *p,
				 struct finding *f)
{
	struct flow_facts facts = {};
	struct flow_touch t = {};
	struct answer a = {};

	stand_of(s, p, 1);
	touch_of(&t, v, s, p, 0); /* what the box answers confirms it, at XDP */
	if (find_flow(&s->key, &t, &facts) && !is_opening(p) &&
	    facts.generation == v->policy->generation)
		return 0;
	if (!remember(v, s, SP_FORWARD, &a,
		      (facts.state & SP_FLOW_CONFIRMED) | SP_FLOW_BEHIND_NAT) &&
	    (p->proto != SP_PROTO_TCP || is_opening(p)))
		f->reason = SP_REASON_FLOW_FULL;
	return 0;
}

#endif

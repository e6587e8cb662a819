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

/*
 * Of a packet that a peer sends and that may go on to the box. 0: no room for what opens.
 * Global, that the verifier looks at it once, not for each way that leads here.
 */
SP_GLOBAL int note_asked(const struct packet *p, __u32 generation, __u32 idle_s)
{
	struct flow_touch t = {.now = now_s(), .idle_s = idle_s, .write = 1};
	struct flow_facts facts = {};
	struct sp_flow flow = {};

	if (!p)
		return 0;
	if (asking())
		return 1;
	flow.key.remote = p->src;
	flow.key.local = p->dst;
	flow.key.remote_port = p->src_port;
	flow.key.local_port = p->dst_port;
	flow.key.proto = p->proto;
	t.tcp_flags = p->proto == SP_PROTO_TCP ? p->tcp_flags : 0;
	/* What the box answers confirms it, at XDP. */
	if (find_flow(&flow.key, &t, &facts) && !is_opening(p) && facts.generation == generation)
		return 1;
	flow.seen_s = t.now;
	flow.generation = generation;
	flow.direction = SP_FORWARD;
	flow.state = (facts.state & SP_FLOW_CONFIRMED) | SP_FLOW_BEHIND_NAT;
	flow.idle_s = idle_s;
	if (!(facts.state & SP_FLOW_CONFIRMED) && idle_s > SP_FLOW_IDLE_OPENING)
		flow.idle_s = SP_FLOW_IDLE_OPENING;
	/* A stranger made it: it takes nobody's place. */
	if (put_flow(&flow))
		return 1;
	count(SP_COUNT_FLOWS_REFUSED);
	return p->proto == SP_PROTO_TCP && !is_opening(p);
}

#endif

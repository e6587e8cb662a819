/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_RELAY_H
#define SALLYPORT_LIB_RELAY_H
/*
 * Routed traffic behind the host's own NAT, as it leaves a guarded NIC: the source
 * is an address of the host. XDP sees the replies to that tuple and must know them,
 * so it is noted: as an answer when the ingress rules would let the peer ask for it
 * (a published port), else as relayed. The stand is that of a departing packet.
 */
#include "routed.h"

/* No room: a reason to refuse what would be lost without an entry, none to cut what runs. */
static __always_inline int refuse_full(const struct stand *s, __u32 direction,
				       const struct packet *p, struct finding *f)
{
	if (needs_entry(s, direction) && (p->proto != SP_PROTO_TCP || p->tcp_flags & SP_TCP_SYN))
		f->reason = SP_REASON_FLOW_FULL;
	return 0;
}

/* 1 when the flow is noted as this policy wants it; else *state is what is known of it. */
static __always_inline int is_noted(const struct view *v, const struct stand *s,
				    const struct packet *p, struct finding *f, __u8 *state)
{
	struct flow_facts facts = {};
	struct flow_touch t = {};

	touch_of(&t, v, s, p, 0); /* what comes back confirms it, at XDP */
	if (!find_flow(&s->key, &t, &facts))
		return 0;
	*state = facts.state & SP_FLOW_CONFIRMED;
	if (facts.generation != v->policy->generation)
		return 0;
	if (facts.direction == SP_INGRESS) {
		f->direction = SP_INGRESS;
		f->by_rule = facts.rule != 0;
		f->rule = facts.rule;
		f->counter = facts.counter;
	}
	return 1;
}

/* Of a packet that passes. */
static __noinline int note_relay(const struct view *v, const struct stand *s,
				 const struct packet *p, struct finding *f)
{
	struct answer a = {};
	__u8 state = 0;

	note_nat();
	/* Pings are asked and let in one by one; an error belongs to what it quotes. */
	if (is_echo_reply(p) || is_icmp_error(p) || p->marks & SP_PKT_FRAGMENT)
		return 0;
	if (is_noted(v, s, p, f, &state) && !is_opening(p))
		return 0;
	if (!is_opening(p) && !is_icmp(p)) {
		judge_as_opened(v, s, SP_INGRESS, &a);
		if (a.reason == SP_REASON_NONE) {
			take_answer(f, &a);
			f->direction = SP_INGRESS;
			if (p->proto != SP_PROTO_TCP || !(p->tcp_flags & SP_TCP_SYN))
				state = SP_FLOW_CONFIRMED;
			return remember(v, s, SP_INGRESS, &a, state) ||
			       refuse_full(s, SP_INGRESS, p, f);
		}
	}
	a.rule = 0;
	a.counter = 0;
	return remember(v, s, SP_FORWARD, &a, state) || refuse_full(s, SP_FORWARD, p, f);
}

#endif

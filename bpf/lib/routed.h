/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_ROUTED_H
#define SALLYPORT_LIB_ROUTED_H
/*
 * What this host routes for others. A flow is kept from its opener's side: remote
 * is who opens, local whom he asks, so a packet is looked up both ways round. State
 * is born of what comes from the inside, never of a stranger's packet, nor of an
 * answer to one that he may have forged: a datagram, a SYN+ACK or a RST.
 * A packet of a flow without an entry passes when either end would be allowed to
 * open it: so what was evicted, or is older than the wall, readmits itself, and what
 * strangers ask for needs no entry.
 */
#include "essential.h"
#include "routed_opening.h"

/* A packet of no ICMP error. `out`: SP_ROUTED_*. */
static __noinline int judge_packet(const struct view *v, struct stand *s, const struct packet *p,
				   __u32 out, struct finding *f)
{
	__u16 in = s->iface_class;

	s->write |= SP_STAND_ROUTED;
	if (!is_opening(p)) {
		s->arriving = 0; /* the opener's own words confirm nothing */
		if (judge_flow(v, s, p, f))
			return 0;
		turn(s);
		s->arriving = 1;
		s->iface_class = out & SP_ROUTED_CLASS;
		if (judge_flow(v, s, p, f))
			return 0;
		turn(s);
		s->iface_class = in;
	}
	if (is_answering(p) && may_answer(v, s, p, out, f))
		return 0;
	if (may_open(v, s, p, out, f) || (!is_answering(p) && may_answer(v, s, p, out, f)))
		return 0;
	if (p->proto == SP_PROTO_TCP && !is_opening(p) && f->reason == SP_REASON_NO_RULE)
		f->reason = SP_REASON_NO_FLOW;
	return 0;
}

static __always_inline int stands_in_table(const struct stand *s)
{
	struct flow_touch t = {.now = now_s()};
	struct flow_facts facts = {};

	return find_flow(&s->key, &t, &facts);
}

/* May there be a flow of what is quoted, opened by either end? Its source lies behind `out`. */
static __noinline int quote_may_pass(const struct view *v, struct stand *s, __u32 in, __u32 out)
{
	struct answer a = {};

	if (stands_in_table(s))
		return 1;
	s->iface_class = out & SP_ROUTED_CLASS;
	judge_as_opened(v, s, SP_FORWARD, &a);
	if (a.reason == SP_REASON_NONE)
		return 1;
	turn(s);
	if (stands_in_table(s))
		return 1;
	s->iface_class = in & SP_ROUTED_CLASS;
	judge_as_opened(v, s, SP_FORWARD, &a);
	return a.reason == SP_REASON_NONE;
}

/*
 * By the forward rules and what is known. The stand: remote is the packet's source,
 * local its destination, iface_class of where it came in; `out`: SP_ROUTED_*.
 */
static __always_inline void judge_routed(const struct reader *r, const struct view *v,
					 struct stand *s, const struct packet *p, __u32 out,
					 struct finding *f)
{
	f->direction = SP_FORWARD;
	/* Of one link alone (RFC 4861, 3810), whatever a rule names. */
	f->reason = SP_REASON_NEIGHBOUR;
	if (is_neighbour_message(p) || (p->family == 6 && is_group_message(p)))
		return;
	if (!is_icmp_error(p)) {
		judge_packet(v, s, p, out, f);
		return;
	}
	/* An error goes to the sender of what it quotes. */
	f->reason = SP_REASON_ICMP_UNRELATED;
	s->arriving = 0;
	if (v->policy->flags & SP_SLOT_ICMP_ERRORS && stand_of_quote(r, p, s) &&
	    same_addr(&s->key.remote, &p->dst) && quote_may_pass(v, s, s->iface_class, out))
		f->reason = SP_REASON_NONE;
}

#endif

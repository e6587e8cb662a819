/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_ROUTED_OPENING_H
#define SALLYPORT_LIB_ROUTED_OPENING_H
/* What is routed, by the forward rules: may its source open it, or its destination have asked? */
#include "known.h"
#include "local.h"

/* The iface class of the side that a packet leaves by, and who sent it. */
#define SP_ROUTED_CLASS 0xffffu
#define SP_ROUTED_STRANGER 0x10000u /* it came in by a guarded NIC: its opening makes no entry */

/* This host routes, or rewrites: from now on conntrack is worth asking (ask_conntrack.h). */
static __always_inline void note_nat(void)
{
	if (!sp_has_nat)
		sp_has_nat = 1;
}

/* The other end's view of the stand. */
static __always_inline void turn(struct stand *s)
{
	struct sp_addr addr = s->key.remote;
	__u16 port = s->key.remote_port;

	s->key.remote = s->key.local;
	s->key.remote_port = s->key.local_port;
	s->key.local = addr;
	s->key.local_port = port;
}

/* A bare SYN, or ICMP that asks: what neither asks for state nor answers. */
static __always_inline int is_opening(const struct packet *p)
{
	if (p->proto == SP_PROTO_TCP)
		return (p->tcp_flags & (SP_TCP_SYN | SP_TCP_ACK)) == SP_TCP_SYN;
	return is_question(p);
}

/* What by its form is an answer, whatever the rules let the sender open. */
static __always_inline int is_answering(const struct packet *p)
{
	if (p->proto == SP_PROTO_TCP)
		return (p->tcp_flags & SP_TCP_SYN) != 0;
	return is_echo_reply(p) || is_time_reply(p);
}

/* A flow of what is routed; the hook that is not the last enters none. 0 when there is no room. */
static __always_inline int enter(const struct view *v, const struct stand *s,
				 const struct answer *a, __u8 state)
{
	return s->write & SP_STAND_FIRST || remember(v, s, SP_FORWARD, a, state);
}

/* By the rules. Apart from may_open(), whose frame lies below that of entering a flow. */
static __noinline int ask_rules(const struct view *v, const struct stand *s, const struct packet *p,
				struct finding *f)
{
	struct opening o = {
	    .near = p->src,
	    .far = p->dst,
	    .direction = SP_FORWARD,
	    .iface_class = s->iface_class,
	    .port = is_icmp(p) ? p->icmp_type : p->dst_port,
	    .proto = p->proto,
	};
	struct answer a = {};

	judge_opening(v->slot, &o, &a);
	take_answer(f, &a);
	return a.reason == SP_REASON_NONE;
}

/* May the packet's source open it? The refusal stays in *f. */
static __noinline int may_open(const struct view *v, struct stand *s, const struct packet *p,
			       __u32 out, struct finding *f)
{
	struct answer a = {};

	if (!ask_rules(v, s, p, f))
		return 0;
	a.rule = f->rule;
	a.counter = f->counter;
	f->opened = p->proto != SP_PROTO_TCP || is_opening(p);
	if (out & SP_ROUTED_STRANGER)
		return 1;
	/* Unanswered, however far into its stream. No room is a reason to refuse what is new,
	 * none to cut what runs. */
	if (!enter(v, s, &a, 0) && (p->proto != SP_PROTO_TCP || is_opening(p))) {
		f->reason = SP_REASON_FLOW_FULL;
		f->opened = 0;
	}
	return 1;
}

/* Would its destination have been allowed to ask for it? *f is left alone when not. */
static __noinline int may_answer(const struct view *v, struct stand *s, const struct packet *p,
				 __u32 out, struct finding *f)
{
	__u16 in = s->iface_class;
	struct answer a = {};

	/* Of ICMP only the replies are. */
	if (is_opening(p) || (is_icmp(p) && !is_echo_reply(p) && !is_time_reply(p)))
		return 0;
	turn(s);
	s->iface_class = out & SP_ROUTED_CLASS;
	judge_as_opened(v, s, SP_FORWARD, &a);
	if (a.reason == SP_REASON_NONE) {
		take_answer(f, &a);
		if (!(out & SP_ROUTED_STRANGER) && p->proto == SP_PROTO_TCP &&
		    !(p->tcp_flags & (SP_TCP_SYN | SP_TCP_RST)))
			enter(v, s, &a, SP_FLOW_CONFIRMED);
	}
	turn(s);
	s->iface_class = in;
	return a.reason == SP_REASON_NONE;
}

#endif

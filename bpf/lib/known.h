/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_KNOWN_H
#define SALLYPORT_LIB_KNOWN_H
/*
 * Packets of connections that run already. A flow of the active generation
 * passes; any other is judged anew as its opening would be, then stamped or
 * cut. So a rollback cuts what the trial let in, and a connection whose entry
 * was lost, or that is older than the wall, readmits itself.
 */
#include "parse_quote.h"
#include "settle.h"
#include "socket.h"
#include "stand.h"

/*
 * Is a routed flow of another generation judged behind this hook? By netfilter's;
 * where there is none, what goes towards its opener by the hook that hears him.
 */
static __always_inline int is_judged_behind(const struct stand *s)
{
	return s->write & SP_STAND_FIRST &&
	       (sp_settings.forward_hook == SP_FORWARD_NETFILTER || s->arriving);
}

/*
 * 1 when a flow entry decided: it is of this generation, or was judged anew.
 * A packet of the side that did not open confirms; of TCP also the opener's
 * ACK, which only follows on an answer; not of a flow that is routed, whose opener
 * may send what he likes.
 */
static __noinline int judge_flow(const struct view *v, const struct stand *s,
				 const struct packet *p, struct finding *f)
{
	struct flow_facts facts = {};
	struct flow_touch t = {};
	struct answer a = {};

	touch_of(&t, v, s, p,
		 s->arriving || (p->tcp_flags & SP_TCP_ACK && !(s->write & SP_STAND_ROUTED)));
	if (!find_flow(&s->key, &t, &facts) ||
	    (facts.state & SP_FLOW_BEHIND_NAT && !(s->write & SP_STAND_FIRST)))
		return 0;
	f->direction = facts.direction;
	f->by_rule = facts.rule != 0;
	f->rule = facts.rule;
	f->counter = facts.counter;
	f->flags = 0;
	f->cookie = facts.state & SP_FLOW_CLOSING ? SP_COOKIE_ENDED : 0;
	f->reason = SP_REASON_NONE;
	if (facts.generation == v->policy->generation || facts.generation == SP_GENERATION_KEPT)
		return 1;
	if (facts.direction == SP_FORWARD && is_judged_behind(s))
		return 1;
	judge_as_opened(v, s, facts.direction, &a);
	take_answer(f, &a);
	if (a.reason == SP_REASON_NONE)
		remember(v, s, facts.direction, &a, facts.state);
	else
		f->reason = SP_REASON_CUT;
	return 1;
}

/* A TCP segment that opens nothing and of whose flow there is no entry. */
static __noinline int judge_segment(void *ctx, const struct view *v, const struct stand *s,
				    const struct packet *p, struct finding *f)
{
	enum tcp_life life;
	struct answer a = {};
	__u32 direction;

	f->direction = s->arriving ? SP_INGRESS : SP_EGRESS;
	life = tcp_life_of(ctx, &s->key);
	f->reason = SP_REASON_NO_FLOW;
	if (life == TCP_UNKNOWN)
		return 0;
	/* Only a bare ACK can bear a SYN cookie (RFC 4987). */
	if (life == TCP_LISTENER &&
	    (!s->arriving || p->tcp_flags & (SP_TCP_SYN | SP_TCP_RST | SP_TCP_FIN)))
		return 0;
	direction = life == TCP_OUTBOUND ? SP_EGRESS : SP_INGRESS;
	judge_as_opened(v, s, direction, &a);
	f->direction = direction;
	take_answer(f, &a);
	if (a.reason != SP_REASON_NONE) {
		if (life != TCP_LISTENER)
			f->reason = SP_REASON_CUT;
		return 0;
	}
	/* No room is no reason to cut what runs: it is found by its socket again. */
	if (life == TCP_LISTENER)
		f->cookie = SP_COOKIE_BORNE;
	else
		remember(v, s, direction, &a, SP_FLOW_CONFIRMED);
	if (life == TCP_HANDSHAKE && s->arriving)
		f->cookie = SP_COOKIE_NEEDLESS;
	return 0;
}

/*
 * Moves the stand of an ICMP error to the packet it quotes. What an arriving
 * error quotes has left this host, so the quote is read as departing.
 */
static __noinline int stand_of_quote(const struct reader *r, const struct packet *p,
				     struct stand *s)
{
	struct packet inner = {};

	if (parse_quote(r, p, &inner))
		return 0;
	stand_of(s, &inner, !s->arriving);
	s->write = 0;
	return 1;
}

/* RELATED: a flow or a socket of ours? */
static __noinline int is_known(void *ctx, const struct stand *s)
{
	struct flow_touch t = {.now = now_s()};
	struct flow_facts facts = {};

	if (find_flow(&s->key, &t, &facts))
		return 1;
	return s->key.proto == SP_PROTO_TCP && tcp_life_of(ctx, &s->key) >= TCP_INBOUND;
}

#endif

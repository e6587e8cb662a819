/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_KNOWN_H
#define SALLYPORT_LIB_KNOWN_H
/*
 * Packets of connections that run already. A flow of the active generation
 * passes; any other is judged anew as its opening would be, then stamped or
 * cut. So a rollback cuts what the trial let in, and a connection whose entry
 * was lost, or that is older than the wall, readmits itself.
 */
#include "flow.h"
#include "settle.h"
#include "socket.h"

/* stand.write. Neither: look only. */
#define SP_STAND_WRITES 1u /* the hook that keeps the table (XDP, TC, netfilter) */
#define SP_STAND_ROUTED 4u /* both ends are others: none is taken at his word */
#define SP_STAND_FIRST 2u  /* another hook behind judges what is routed, with both its ends */

/* Where a packet stands: the flow it belongs to and what its judge may do. */
struct stand {
	struct sp_flow_key key;
	__u16 iface_class;
	__u8 arriving;
	__u8 write;	/* SP_STAND_* */
	__u32 identity; /* of the sender; for arrivals any_identity */
};

static __always_inline void stand_of(struct stand *s, const struct packet *p, int arriving)
{
	__builtin_memset(&s->key, 0, sizeof(s->key));
	s->key.remote = arriving ? p->src : p->dst;
	s->key.local = arriving ? p->dst : p->src;
	s->key.remote_port = arriving ? p->src_port : p->dst_port;
	s->key.local_port = arriving ? p->dst_port : p->src_port;
	s->key.proto = p->proto;
	s->arriving = (__u8)arriving;
	s->write = asking() ? 0 : SP_STAND_WRITES;
}

static __always_inline __u16 echo_request_of(__u8 proto)
{
	return proto == SP_PROTO_ICMP ? 8 : 128;
}

/* How the flow of this stand would have been asked for, by the side that opened it. */
static __noinline int judge_as_opened(const struct view *v, const struct stand *s, __u32 direction,
				      struct answer *a)
{
	struct opening o = {
	    .near = s->key.remote,
	    .far = s->key.local, /* of forward rules only */
	    .direction = direction,
	    .identity = s->identity,
	    .iface_class = s->iface_class,
	    .proto = s->key.proto,
	};

	if (o.proto == SP_PROTO_ICMP || o.proto == SP_PROTO_ICMP6)
		o.port = echo_request_of(o.proto);
	else
		o.port = direction == SP_EGRESS ? s->key.remote_port : s->key.local_port;
	return judge_opening(v->slot, &o, a);
}

static __always_inline __u32 idle_of(const struct view *v, __u8 proto)
{
	return proto == SP_PROTO_TCP ? v->policy->tcp_idle_s : v->policy->udp_idle_s;
}

/*
 * Enters or renews the stand's flow. 0 when there is no room. Not inlined, like
 * the judges below: together their frames would pass the 512 bytes of stack.
 */
static __noinline int remember(const struct view *v, const struct stand *s, __u32 direction,
			       const struct answer *a, __u8 state)
{
	struct sp_flow flow = {
	    .key = s->key,
	    .seen_s = now_s(),
	    .idle_s = idle_of(v, s->key.proto),
	    .generation = v->policy->generation,
	    .rule = (__u16)a->rule,
	    .direction = (__u8)direction,
	    .state = state,
	    .counter = a->counter,
	};

	if (!(s->write & SP_STAND_WRITES))
		return 1;
	if (!(state & SP_FLOW_CONFIRMED) && flow.idle_s > SP_FLOW_IDLE_OPENING)
		flow.idle_s = SP_FLOW_IDLE_OPENING;
	if (put_flow(&flow) || (direction != SP_INGRESS && take_place(&flow)))
		return 1;
	count(SP_COUNT_FLOWS_REFUSED);
	return 0;
}

/*
 * Is a flow without an entry lost? What was asked for in datagrams is judged by the
 * rules each time, whoever asks. A connection behind NAT has no socket to be found by.
 */
static __always_inline int needs_entry(const struct stand *s, __u32 direction)
{
	return direction != SP_INGRESS || s->key.proto == SP_PROTO_TCP;
}

static __always_inline void touch_of(struct flow_touch *t, const struct view *v,
				     const struct stand *s, const struct packet *p,
				     const int direction_confirms)
{
	t->now = now_s();
	t->idle_s = idle_of(v, s->key.proto);
	t->confirm = (__u8)direction_confirms;
	t->tcp_flags = p->proto == SP_PROTO_TCP ? p->tcp_flags : 0;
	t->write = s->write & SP_STAND_WRITES;
	/* A peer must not keep alive a relayed flow of an older policy; the hook behind stamps it.
	 */
	if (s->write & SP_STAND_FIRST)
		t->generation = v->policy->generation;
}

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
	if (!find_flow(&s->key, &t, &facts))
		return 0;
	f->direction = facts.direction;
	f->by_rule = facts.rule != 0;
	f->rule = facts.rule;
	f->counter = facts.counter;
	f->flags = 0;
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
	if (life != TCP_LISTENER)
		remember(v, s, direction, &a, SP_FLOW_CONFIRMED);
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

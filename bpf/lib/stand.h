/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_STAND_H
#define SALLYPORT_LIB_STAND_H
/* Where a packet stands: its flow, how that would have been opened, and its entry. */
#include "classify.h"
#include "flow.h"
#include "flow_evict.h"
#include "flow_put.h"

/* stand.write. Neither: look only. */
#define SP_STAND_WRITES 1u /* the hook that keeps the table (XDP, TC, netfilter) */
#define SP_STAND_ROUTED 4u /* both ends are others: none is taken at his word */
#define SP_STAND_FIRST 2u  /* another hook behind judges what is routed, with both its ends */

/* Where a packet stands: the flow it belongs to and what its judge may do. */
struct stand {
	struct sp_flow_key key;
	__u16 iface_class;
	__u8 arriving;
	__u8 write; /* SP_STAND_* */
	union {
		__u32 identity; /* of the sender; for arrivals any_identity */
		/* Of what is routed, for which no rule asks an identity: source_of(). */
		__u32 source;
	};
	__u32 asks_time; /* 1: its ICMP asks for the time (13), or tells it; 0: an echo's (8) */
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
	/* Without a branch: the verifier would follow all that comes behind twice. */
	s->asks_time = (__u32)is_zero(((__u32)p->icmp_type - 13u) >> 1);
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

	if (o.proto == SP_PROTO_ICMP)
		o.port = (__u16)(8 + 5 * s->asks_time);
	else if (o.proto == SP_PROTO_ICMP6)
		o.port = 128;
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
	    .source = direction == SP_FORWARD ? s->source : 0,
	};

	if (!(s->write & SP_STAND_WRITES))
		return 1;
	if (!(state & SP_FLOW_CONFIRMED) && flow.idle_s > SP_FLOW_IDLE_OPENING)
		flow.idle_s = SP_FLOW_IDLE_OPENING;
	if (put_flow(&flow) ||
	    (direction != SP_INGRESS && (take_place(&flow, 0) || take_place(&flow, 1))))
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
	/* At XDP also what a bridge carries for somebody else, which TC has judged as leaving. */
	t->routed = s->write & SP_STAND_ROUTED && !(s->write & SP_STAND_FIRST);
	/* A peer must not keep alive a relayed flow of an older policy; the hook behind stamps it.
	 */
	if (s->write & SP_STAND_FIRST)
		t->generation = v->policy->generation;
}

#endif

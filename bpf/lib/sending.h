/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_SENDING_H
#define SALLYPORT_LIB_SENDING_H
/* What a socket of a process sends: connections by what is stored with it, datagrams one by one. */
#include "departure.h"
#include "owner.h"

/*
 * The one asked about, in the questioner's words: the packet of a test run is nobody's.
 * Not inlined: sp_cg_egress's frame has not 8 bytes left on 6.1.
 */
static __noinline struct sp_owner *asked_owner(void)
{
	static struct sp_owner asked;

	if (!sp_question.socket)
		return 0;
	asked.uid = sp_question.uid;
	asked.cgroup = sp_question.cgroup;
	asked.netns = sp_question.netns;
	return &asked;
}

/* Who opened this connection? */
static __always_inline __u32 opener_of(void *ctx, const struct sp_owner *o, const struct stand *s,
				       const struct packet *p)
{
	/* Whatever the socket was before, a bare SYN opens. */
	if (opens_tcp_out(p))
		return SP_EGRESS;
	if (o->opened)
		return o->opened - 1u;
	if (p->tcp_flags & SP_TCP_SYN)
		return SP_INGRESS;
	/* Older than the wall: inbound when a listener holds its port. */
	return tcp_state(ctx, &s->key, 0) == SP_STATE_LISTEN ? SP_INGRESS : SP_EGRESS;
}

static __always_inline void judge_connection(struct __sk_buff *skb, const struct view *v,
					     struct departure *d, const struct packet *p,
					     struct sp_owner *o, struct finding *f)
{
	struct answer a = {};
	__u32 direction;

	if (o->generation == SP_GENERATION_KEPT ||
	    (o->generation == v->policy->generation && o->remote_port == p->dst_port &&
	     same_addr(&o->remote, &p->dst))) {
		f->direction = o->opened ? o->opened - 1u : SP_EGRESS;
		f->reason = SP_REASON_NONE;
		f->by_rule = o->rule != 0;
		f->counter = o->counter;
		f->rule = o->rule;
		return;
	}
	direction = opener_of(skb, o, &d->stand, p);
	f->direction = direction;
	f->opened = opens_tcp_out(p);
	if (direction == SP_EGRESS || d->guarded)
		judge_as_opened(v, &d->stand, direction, &a);
	take_answer(f, &a);
	if (f->reason) {
		f->opened = 0;
		/* The end of what is cut must be heard. */
		if (p->tcp_flags & SP_TCP_RST && !(p->marks & SP_PKT_LOADED))
			f->reason = SP_REASON_NONE;
		else if (!(p->tcp_flags & SP_TCP_SYN))
			f->reason = SP_REASON_CUT;
		return;
	}
	if (asking())
		return;
	o->opened = SP_OPENED(direction);
	o->remote = p->dst;
	o->remote_port = p->dst_port;
	o->rule = (__u16)a.rule;
	o->counter = a.counter;
	o->generation = v->policy->generation;
}

/*
 * Not inlined: the key in sp_cg_egress's own frame would take its deepest chain
 * past 512 bytes of stack on 6.1, which counts frames in steps of 32 bytes.
 */
static __noinline int was_asked(struct __sk_buff *skb, const struct packet *p, const struct view *v)
{
	struct sp_asked_key key = {
	    .remote = p->dst,
	    .cookie = bpf_get_socket_cookie(skb),
	    .remote_port = p->dst_port,
	};
	const __u32 *at = bpf_map_lookup_elem(&sp_asked, &key);

	return at && now_s() - *at <= v->policy->udp_idle_s;
}

/* Datagrams are judged one by one: to open, or to answer who may ask. */
static __always_inline void judge_datagram(struct __sk_buff *skb, const struct view *v,
					   struct departure *d, const struct packet *p,
					   struct sp_owner *o, struct finding *f)
{
	judge_out(v, d, p, f);
	if (f->reason && (d->guarded || was_asked(skb, p, v)))
		judge_answer(v, d, p, f);
	if (f->reason || asking())
		return;
	/* What TC enters into the table a moment later, in the same context. */
	o->opened = SP_OPENED(f->direction);
	o->remote = p->dst;
	o->remote_port = p->dst_port;
	o->rule = (__u16)f->rule;
	o->counter = f->counter;
	o->generation = v->policy->generation;
}

#endif

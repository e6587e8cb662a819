/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_LEAVE_JUDGED_H
#define SALLYPORT_LIB_LEAVE_JUDGED_H
/* NIC out: what cgroup_skb let pass leaves its flow here. */
#include "departure.h"
#include "owner.h"

/*
 * Is this the packet that cgroup_skb let pass? A tunnel keeps the socket of what
 * it carries, and its own header went by no cgroup; and of two threads that send
 * at once on one socket the storage knows the later. Then it is judged here.
 * Fragments were one packet there, and most no longer show their ports.
 */
static __always_inline int was_judged(const struct sp_owner *o, const struct packet *p,
				      int fragment)
{
	return same_addr(&o->remote, &p->dst) && (fragment || o->remote_port == p->dst_port);
}

/* 1 when the flow stands as this policy wants it; else *state is what is known of it. */
static __always_inline int stands(const struct view *v, const struct departure *d,
				  const struct packet *p, __u32 direction, __u8 *state)
{
	struct flow_touch t = {.now = now_s(), .idle_s = v->policy->udp_idle_s};
	struct flow_facts facts = {};

	t.tcp_flags = p->proto == SP_PROTO_TCP ? p->tcp_flags : 0;
	t.write = d->stand.write;
	t.confirm = direction == SP_INGRESS && !(p->tcp_flags & SP_TCP_SYN);
	if (!find_flow(&d->stand.key, &t, &facts))
		return 0;
	*state = facts.state;
	/* A relayed flow that had this tuple before is over, or the NAT would have chosen another.
	 */
	return facts.generation == v->policy->generation && facts.direction != SP_FORWARD;
}

/*
 * What the DHCP client asks of one server passes by no rule. An error about it comes back
 * by this flow, which takes nobody's place; without room for it the question goes all the
 * same. Not inlined for its stack.
 */
static __noinline int note_lease(const struct view *v, const struct departure *d,
				 const struct packet *p, const struct finding *f)
{
	const int asks = p->family == 4 ? p->src_port == 68 && p->dst_port == 67
					: p->src_port == 546 && p->dst_port == 547;
	struct sp_flow flow = {
	    .key = d->stand.key,
	    .seen_s = now_s(),
	    .idle_s = SP_FLOW_IDLE_OPENING,
	    .generation = v->policy->generation,
	    .direction = SP_EGRESS,
	};

	if (f->reason || f->by_rule || p->proto != SP_PROTO_UDP || !asks ||
	    p->marks & SP_PKT_FRAGMENT || !is_own(&p->src) || is_multicast(&p->dst) ||
	    is_limited_broadcast(&p->dst) || !(d->stand.write & SP_STAND_WRITES))
		return 0;
	return put_flow(&flow);
}

/*
 * The flow of a packet that passed at the cgroup; its owner says how. Not
 * inlined, or the deepest chain would pass 512 bytes of stack.
 */
static __noinline void note_flow(const struct view *v, struct departure *d, const struct packet *p,
				 const struct sp_owner *o, struct finding *f)
{
	__u32 direction = o->opened ? o->opened - 1u : SP_EGRESS;
	struct answer a = {.rule = o->rule, .counter = o->counter};
	__u8 state = 0;

	f->reason = SP_REASON_NONE;
	if (p->marks & SP_PKT_FRAGMENT ||
	    essential_departure(v, p, 0, d->on_host, &d->stand.iface_class, &f->reason)) {
		note_lease(v, d, p, f);
		return;
	}
	f->reason = SP_REASON_NONE;
	if (p->proto == SP_PROTO_TCP && !(p->tcp_flags & (SP_TCP_SYN | SP_TCP_FIN | SP_TCP_RST)))
		return;
	if (stands(v, d, p, direction, &state))
		return;
	if (p->proto == SP_PROTO_TCP && !(p->tcp_flags & SP_TCP_SYN))
		return;
	if (p->proto != SP_PROTO_TCP && direction == SP_INGRESS)
		state = SP_FLOW_CONFIRMED;
	if (!remember(v, &d->stand, direction, &a, state) && needs_entry(&d->stand, direction))
		f->reason = SP_REASON_FLOW_FULL;
}

/*
 * A SYN+ACK to somebody who need not exist. Where the kernel finds the connection by
 * the wire's tuple, or by its listener, the peer's ACK is judged by that: no entry is
 * made for a SYN, however many come. Behind NAT of our own it does not.
 */
static __always_inline int answers_by_socket(struct __sk_buff *skb, const struct departure *d,
					     const struct packet *p)
{
	return p->proto == SP_PROTO_TCP && p->tcp_flags & SP_TCP_SYN && p->tcp_flags & SP_TCP_ACK &&
	       tcp_state(skb, &d->stand.key, d->stand.key.remote_port) != 0;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_DEPARTURE_H
#define SALLYPORT_LIB_DEPARTURE_H
/*
 * What leaves. Openings are judged by the egress rules; answers follow what
 * they answer: a flow, a connection, or, where there is neither, an ingress
 * rule that would let the peer ask (on an interface that is not guarded:
 * anybody may).
 */
#include "bans.h"
#include "essential.h"
#include "known.h"
#include "local.h"

enum sender {
	SENDER_KERNEL = 0, /* the kernel itself, or a socket of another cgroup */
	SENDER_PACKET = 1, /* AF_PACKET: a packet, no connection */
	SENDER_RAW = 2,	   /* a raw socket of a process: no connection either */
	SENDER_SOCKET = 3, /* TCP, UDP and their like of a process under the cgroup */
};

/* Who sends, and where it goes out. */
struct departure {
	struct stand stand;
	__u32 sender;
	__u8 guarded; /* the interface is */
	__u8 on_host; /* in the host's network namespace */
	__u8 keeps;   /* this hook keeps the flow table (TC) */
	__u8 spare;
};

static __always_inline int opens_tcp_out(const struct packet *p)
{
	return (p->tcp_flags & (SP_TCP_SYN | SP_TCP_ACK)) == SP_TCP_SYN;
}

/*
 * Is it for somebody who is banned, and nothing that the link lives by? No RST is let out
 * to him either: a ban is silent. Global, that the verifier looks at it once. `who`: 1: the
 * kernel sends, 2: from the host's namespace, above 16 bits: the interface's class.
 */
SP_GLOBAL int bars_departure(__u32 slot, const struct packet *p, __u32 who)
{
	__u16 iface_class = (__u16)(who >> 16);
	enum sp_reason reason = SP_REASON_NONE;
	struct view v;

	if (!p || view_of_slot(&v, slot))
		return 1;
	return is_banned(&p->dst) &&
	       !essential_departure(&v, p, who & 1, who & 2, &iface_class, &reason);
}

static __noinline int is_for_banned(const struct view *v, const struct departure *d,
				    const struct packet *p)
{
	return bars_departure(v->slot, p,
			      (d->sender == SENDER_KERNEL) | (d->on_host ? 2u : 0) |
				  (__u32)d->stand.iface_class << 16);
}

static __noinline int judge_out(const struct view *v, const struct departure *d,
				const struct packet *p, struct finding *f)
{
	struct opening o = {
	    .near = p->dst,
	    .direction = SP_EGRESS,
	    .identity = d->stand.identity,
	    .iface_class = d->stand.iface_class,
	    .port = is_icmp(p) ? p->icmp_type : p->dst_port,
	    .proto = p->proto,
	};
	struct answer a = {};

	judge_opening(v->slot, &o, &a);
	take_answer(f, &a);
	f->direction = SP_EGRESS;
	f->opened = a.reason == SP_REASON_NONE;
	return 0;
}

/* Could the peer have asked for this? Leaves *f alone when not. */
static __noinline int judge_answer(const struct view *v, const struct departure *d,
				   const struct packet *p, struct finding *f)
{
	struct answer a = {};

	/*
	 * Who may ping us may have his pings answered, not be sent any ICMP there is. Only
	 * the kernel tells the time, and has other ICMP to answer where all may ask.
	 */
	if (is_icmp(p) && !is_echo_reply(p) &&
	    (d->sender != SENDER_KERNEL || (d->guarded && !is_time_reply(p))))
		return 0;
	if (!d->guarded ||
	    (is_echo_reply(p) && marks_of(v->slot, &p->dst, d->stand.iface_class) & SP_MARK_PING)) {
		f->reason = SP_REASON_NONE;
		f->direction = SP_INGRESS;
		f->opened = 0;
		f->by_rule = 0;
		return 1;
	}
	judge_as_opened(v, &d->stand, SP_INGRESS, &a);
	if (a.reason != SP_REASON_NONE)
		return 0;
	take_answer(f, &a);
	f->direction = SP_INGRESS;
	f->opened = 0;
	return 1;
}

/* The flow of what passes, entered by the hook that keeps the table. */
static __always_inline void keep_flow(const struct view *v, const struct departure *d,
				      struct finding *f, __u8 state)
{
	struct answer a = {.rule = f->rule, .counter = f->counter};

	if (d->keeps && d->guarded && !remember(v, &d->stand, f->direction, &a, state) &&
	    needs_entry(&d->stand, f->direction))
		f->reason = SP_REASON_FLOW_FULL;
}

/* An ICMP error that the kernel sends: what it quotes came to us, and was let in. */
static __always_inline void judge_error_out(const struct reader *r, const struct view *v,
					    struct departure *d, const struct packet *p,
					    struct finding *f)
{
	struct answer a = {};

	f->reason = SP_REASON_ICMP_UNRELATED;
	if (!stand_of_quote(r, p, &d->stand))
		return;
	if (!d->guarded || is_known(r->ctx, &d->stand)) {
		f->reason = SP_REASON_NONE;
		return;
	}
	judge_as_opened(v, &d->stand, SP_INGRESS, &a);
	if (a.reason == SP_REASON_NONE)
		f->reason = SP_REASON_NONE;
}

static __always_inline void judge_tcp_out(const struct reader *r, const struct view *v,
					  struct departure *d, const struct packet *p,
					  struct finding *f)
{
	/* A bare RST ends something and carries nothing; without it the peer never learns. */
	if (d->sender == SENDER_KERNEL && p->tcp_flags & SP_TCP_RST &&
	    !(p->marks & SP_PKT_LOADED)) {
		f->reason = SP_REASON_NONE;
		return;
	}
	if (opens_tcp_out(p)) {
		judge_out(v, d, p, f);
		if (f->reason == SP_REASON_NONE)
			keep_flow(v, d, f, 0);
		return;
	}
	if (p->tcp_flags & SP_TCP_SYN) {
		f->reason = SP_REASON_NO_RULE;
		f->direction = SP_INGRESS;
		if (judge_answer(v, d, p, f))
			keep_flow(v, d, f, 0);
		return;
	}
	if (!d->guarded) {
		f->reason = SP_REASON_NONE;
		return;
	}
	if (!judge_flow(v, &d->stand, p, f))
		judge_segment(r->ctx, v, &d->stand, p, f);
}

/* A packet that no connection of a process under the cgroup stands for. */
static __always_inline void judge_departure(const struct reader *r, const struct view *v,
					    struct departure *d, const struct packet *p,
					    struct finding *f)
{
	f->direction = SP_EGRESS;
	if (essential_departure(v, p, d->sender == SENDER_KERNEL, d->on_host, &d->stand.iface_class,
				&f->reason))
		return;
	f->reason = SP_REASON_FRAGMENT;
	if (p->marks & SP_PKT_FRAGMENT)
		return;
	if (d->sender == SENDER_PACKET || d->sender == SENDER_RAW) {
		judge_out(v, d, p, f);
		/* Only a SYN or a datagram may open; the rest of TCP has a socket or no business.
		 */
		/* Nor has anybody else's address: its answers would be let in to that one. */
		if (f->reason == SP_REASON_NONE && is_own(&p->src) &&
		    (p->proto != SP_PROTO_TCP || opens_tcp_out(p)))
			keep_flow(v, d, f, 0);
		return;
	}
	if (is_icmp_error(p)) {
		judge_error_out(r, v, d, p, f);
		return;
	}
	if (p->proto == SP_PROTO_TCP) {
		judge_tcp_out(r, v, d, p, f);
		return;
	}
	judge_out(v, d, p, f);
	if (f->reason != SP_REASON_NONE && !judge_answer(v, d, p, f))
		return;
	/* A flow for the time would be one for all of ICMP. */
	if (f->direction != SP_INGRESS || !is_time_reply(p))
		keep_flow(v, d, f, f->direction == SP_INGRESS ? SP_FLOW_CONFIRMED : 0);
}

#endif

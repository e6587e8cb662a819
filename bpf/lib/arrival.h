/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_ARRIVAL_H
#define SALLYPORT_LIB_ARRIVAL_H
/* What arrives on a guarded interface, in the order that docs/policy.md gives. */
#include "bans.h"
#include "beginning.h"
#include "cookie.h"
#include "essential.h"
#include "handshake.h"
#include "known.h"
#include "link.h"
#include "routed.h"
#include "translated.h"
#include "uncounted.h"

/* Who has no address yet may ask for one (RFC 2131): a DHCP server's matter of rules. */
static __always_inline int asks_for_lease(const struct packet *p)
{
	return p->family == 4 && p->src.words[3] == 0 && is_limited_broadcast(&p->dst) &&
	       p->proto == SP_PROTO_UDP && p->src_port == 68 && p->dst_port == 67;
}

/* Headers that no policy makes legitimate. */
static __always_inline enum sp_reason check_headers(const struct view *v, const struct packet *p)
{
	if (p->marks & SP_PKT_FRAGMENT && !(v->policy->flags & SP_SLOT_FRAGMENTS))
		return SP_REASON_FRAGMENT;
	if (check_options(v, p))
		return SP_REASON_IP_OPTIONS;
	if (is_bogon_source(&p->src, p->family) || is_loopback(&p->src) || is_loopback(&p->dst) ||
	    is_unspecified(&p->dst))
		return SP_REASON_BOGON;
	return SP_REASON_NONE;
}

/* By the ingress rules. */
static __noinline int judge_new(const struct view *v, const struct packet *p, __u32 iface_class,
				struct finding *f)
{
	struct opening o = {
	    .near = p->src,
	    .direction = f->direction,
	    .iface_class = (__u16)iface_class,
	    .port = is_icmp(p) ? p->icmp_type : p->dst_port,
	    .proto = p->proto,
	};
	struct answer a = {};

	judge_opening(v->slot, &o, &a);
	take_answer(f, &a);
	f->opened = f->reason == SP_REASON_NONE;
	if (f->opened)
		judge_beginning(v, p, f, 0);
	return 0;
}

static __always_inline int opens_tcp(const struct packet *p)
{
	return (p->tcp_flags & (SP_TCP_SYN | SP_TCP_ACK)) == SP_TCP_SYN;
}

/* For one of the host's own addresses. */
static __always_inline void judge_host(const struct reader *r, const struct view *v,
				       struct stand *s, const struct packet *p, struct finding *f)
{
	int known = 0;

	if (is_icmp_error(p)) {
		f->reason = SP_REASON_ICMP_UNRELATED;
		/* This host sends nothing to itself by a wire: a socket that does is on lo. */
		if (v->policy->flags & SP_SLOT_ICMP_ERRORS && stand_of_quote(r, p, s) &&
		    !is_own(&s->key.remote) && !is_loopback(&s->key.remote) &&
		    (is_known(r->ctx, s) || is_translated(r->ctx, s)))
			f->reason = SP_REASON_NONE;
		return;
	}
	/* A bare SYN neither asks nor makes state; nor does a question by ICMP. */
	if (p->proto == SP_PROTO_TCP ? !opens_tcp(p) : !is_question(p))
		known = judge_flow(v, s, p, f);
	if (known && f->direction == SP_FORWARD && ends_at_own_socket(r->ctx, s))
		known = 0;
	if (p->proto == SP_PROTO_TCP && !opens_tcp(p)) {
		judge_stream(r, v, s, p, f, known);
		return;
	}
	if (known && f->reason == SP_REASON_NONE)
		return;
	f->direction = SP_INGRESS;
	if (is_echo_request(p) && marks_of(v->slot, &p->src, s->iface_class) & SP_MARK_PING) {
		f->reason = SP_REASON_NONE;
		return;
	}
	judge_new(v, p, s->iface_class, f);
	if (p->proto == SP_PROTO_TCP && f->flags >> SP_RULE_LIMIT_SHIFT)
		refuse_uncounted(r->ctx, v, s, f);
	if (f->reason != SP_REASON_NONE && !known && p->proto == SP_PROTO_UDP)
		judge_translated(r->ctx, v, s, f);
}

/* For somebody else: the hook behind, where there is one, judges it again, and counts it. */
static __always_inline void judge_passing(const struct reader *r, const struct view *v,
					  const struct packet *p, struct stand *s,
					  struct finding *f)
{
	s->source = 0; /* no identity either: what is entered elsewhere keeps its own */
	judge_routed(r, v, s, p, SP_ROUTED_STRANGER, f);
	if (f->reason != SP_REASON_NONE && !is_icmp(p) && !is_opening(p))
		judge_pool(r->ctx, v, s, f);
	if (sp_settings.forward_hook == SP_FORWARD_NETFILTER && f->reason == SP_REASON_NONE) {
		f->by_rule = 0;
		f->opened = 0;
	}
}

static __always_inline void judge_arrival(const struct reader *r, const struct view *v,
					  __u16 iface_class, const struct packet *p,
					  struct stand *s, struct finding *f)
{
	if (p->family == 0) {
		judge_link(r, v, p, f);
		return;
	}
	f->reason = check_headers(v, p);
	if (f->reason || essential_arrival(v, p, iface_class, &f->reason))
		return;
	f->reason = SP_REASON_BOGON;
	if (is_own(&p->src) || (is_unspecified(&p->src) && !asks_for_lease(p)))
		return;
	if (!is_for_host(&p->dst))
		f->direction = SP_FORWARD;
	/* An address of this host is nobody to ban: only what is routed has another end. */
	f->reason = SP_REASON_BANNED;
	if (is_banned(&p->src) || (f->direction == SP_FORWARD && is_banned(&p->dst)))
		return;
	stand_of(s, p, 1);
	s->write |= SP_STAND_FIRST;
	s->iface_class = iface_class;
	s->identity = v->policy->any_identity;
	if (f->direction == SP_FORWARD) {
		judge_passing(r, v, p, s, f);
		return;
	}
	f->reason = SP_REASON_L2_MISMATCH;
	if (p->marks & SP_PKT_L2_GROUP && is_own(&p->dst))
		return;
	judge_host(r, v, s, p, f);
}

#endif

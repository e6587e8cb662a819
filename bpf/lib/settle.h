/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_SETTLE_H
#define SALLYPORT_LIB_SETTLE_H
/* The only exit: counts, reports, and says whether the packet goes on. */
#include "classify.h"
#include "report.h"

/* finding.cookie */
#define SP_COOKIE_BORNE 1u  /* an ACK to a listener: what else could it be */
#define SP_COOKIE_WANTED 2u /* a SYN that is refused for now, to be answered with one */
/* With it, as SP_BEGIN_* are: */
#define SP_COOKIE_UNASKED 4u
#define SP_COOKIE_CALM 8u
#define SP_COOKIE_BORNE_AGAIN 16u /* as BORNE, of a flow that is known, or known to be right */
#define SP_COOKIE_NEEDLESS 32u	  /* a segment of a handshake that the stack answered */
#define SP_COOKIE_ENDED 64u /* its flow has ended: a cookie that was kept would open another */

/* What a judge found. Zeroed, it is a drop without a policy. */
struct finding {
	enum sp_reason reason;
	__u32 direction; /* enum sp_direction */
	__u32 rule;	 /* rule + 1; 0: none was asked or none matched */
	__u32 counter;
	__u32 flags;   /* sp_rule.flags */
	__u32 opened;  /* 1: this packet is an opening that the rule let in */
	__u32 by_rule; /* 1: passes on account of the rule, its bytes are the rule's */
	__u16 quiet;   /* 1: count, never report */
	__u16 cookie;  /* SP_COOKIE_* */
};

static __always_inline void take_answer(struct finding *f, const struct answer *a)
{
	f->reason = a->reason;
	f->rule = a->rule;
	f->counter = a->counter;
	f->flags = a->flags;
	f->by_rule = a->rule != 0;
}

/* A refused way out, of an address outside exfil.inside. */
static __always_inline int is_exfil(const struct view *v, const struct finding *f,
				    const struct packet *p, __u16 iface_class)
{
	if (f->direction == SP_INGRESS || !v->policy || p->family == 0)
		return 0;
	if (is_metadata(&p->dst))
		return 1;
	if (is_multicast(&p->dst) || is_limited_broadcast(&p->dst) || is_link_local(&p->dst) ||
	    is_loopback(&p->dst) || is_unspecified(&p->dst))
		return 0;
	return !(marks_of(v->slot, &p->dst, iface_class) & SP_MARK_INSIDE);
}

static __always_inline int observing(const struct view *v)
{
	return v->policy && v->policy->flags & SP_SLOT_OBSERVE;
}

/* What a guarded interface let through or not; `place` as sp_nic_counts says. */
static __always_inline void count_nic(__u32 place, __u32 len, int pass)
{
	struct sp_nic_count *c = asking() ? 0 : bpf_map_lookup_elem(&sp_nic_counts, &place);

	if (!c)
		return;
	if (pass) {
		c->admitted++;
		c->admitted_bytes += len;
	} else {
		c->dropped++;
		c->dropped_bytes += len;
	}
}

/* Where it happened. */
struct scene {
	__u32 hook;
	__u32 ifindex;
	__u32 len;
	__u16 iface_class;
	__u16 family; /* of a socket that is refused, AF_*; 0: a packet is */
};

/* To who asked, and to nobody else: on the wall this is no instruction. */
static __always_inline void tell_asker(const struct view *v, const struct scene *s,
				       const struct finding *f, int pass)
{
	if (!asking())
		return;
	sp_told.settled = 1;
	sp_told.pass = pass != 0;
	sp_told.reason = f->reason;
	sp_told.direction = f->direction;
	sp_told.rule = f->rule;
	sp_told.hook = s->hook;
	sp_told.generation = v->policy ? v->policy->generation : 0;
	sp_told.opened = f->opened;
}

/* Does the packet go on (SP_PASSES), and when was it told of: told_at(). */
SP_GLOBAL __u64 settle(__u32 slot, const struct scene *s, struct finding *f, const struct packet *p,
		       const struct sp_owner *owner)
{
	struct report r = {};
	struct view v;
	__u64 told = 0;

	if (!s || !f || !p)
		return 0;
	view_of_slot(&v, slot);
	r.hook = s->hook;
	r.direction = f->direction;
	r.rule = f->rule;
	r.ifindex = s->ifindex;
	r.len = s->len;
	r.family = s->family;
	if (f->reason == SP_REASON_NONE) {
		tell_asker(&v, s, f, 1);
		count(SP_COUNT_HOOK_ADMITTED + s->hook);
		if (f->by_rule)
			count_rule(f->counter, f->opened, s->len);
		if (f->opened && f->flags & SP_RULE_LOG_NEW) {
			r.kind = SP_EVENT_NEW;
			told = emit(slot, &r, p, owner);
		}
		return told << 1 | SP_PASSES;
	}
	if (f->reason == SP_REASON_NO_RULE && f->direction != SP_INGRESS && is_metadata(&p->dst))
		f->reason = SP_REASON_METADATA;
	tell_asker(&v, s, f, observing(&v));
	r.reason = f->reason;
	if (f->reason == SP_REASON_DENIED || f->reason == SP_REASON_OVER_LIMIT ||
	    f->reason == SP_REASON_TOO_MANY_CONNECTIONS)
		count_refused(f->counter, f->reason);
	count((observing(&v) ? SP_COUNT_WOULD_DROPS : SP_COUNT_DROPS) + f->reason);
	count((observing(&v) ? SP_COUNT_HOOK_ADMITTED : SP_COUNT_HOOK_DROPPED) + s->hook);
	if (!f->quiet) {
		r.kind = observing(&v) ? SP_EVENT_WOULD_DROP : SP_EVENT_DROP;
		r.exfil = (__u16)is_exfil(&v, f, p, s->iface_class);
		told = emit(slot, &r, p, owner);
	}
	return told << 1 | (observing(&v) ? SP_PASSES : 0);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_REPORT_H
#define SALLYPORT_LIB_REPORT_H
/*
 * Events. Whether to report is decided before a ring is touched: two CPUs at a full
 * ring cost more than the packet. What is held back or lost is counted.
 */
#include "count.h"
#include "packet.h"
#include "view.h"

/*
 * What settle() answers: whether the packet goes on, and above that bit when an event told of
 * it (CLOCK_MONOTONIC fits in 63 bits), 0 for not.
 */
#define SP_PASSES 1ull

static __always_inline __u64 told_at(__u64 answer)
{
	return answer >> 1;
}

/* Everything an event says beside the packet. */
struct report {
	__u32 hook;
	__u32 kind;
	__u32 reason;
	__u32 direction;
	__u32 rule;
	__u32 ifindex;
	__u32 len;
	__u16 exfil;
	__u16 family;
};

static __always_inline int take_credit(__u32 whose, __u32 per_second)
{
	struct sp_credit *c = bpf_map_lookup_elem(&sp_credits, &whose);
	__u32 second = now_s();

	if (!c)
		return 0;
	if (c->second != second) {
		c->second = second;
		c->used = 0;
	}
	if (c->used >= per_second)
		return 0;
	c->used++;
	return 1;
}

/* Does it go out of the inside, by this host's doing or routed by it? */
static __always_inline int is_leaving(const struct report *r)
{
	return r->direction == SP_EGRESS || r->exfil;
}

static __always_inline struct sp_event *reserve_event(int leaving)
{
	if (leaving)
		return bpf_ringbuf_reserve(&sp_leaving, sizeof(struct sp_event), 0);
	return bpf_ringbuf_reserve(&sp_events, sizeof(struct sp_event), 0);
}

static __always_inline void describe_packet(struct sp_event *e, const struct packet *p)
{
	e->ethertype = p->ethertype;
	e->proto = p->proto;
	if (p->family == 0)
		return;
	e->src = p->src;
	e->dst = p->dst;
	e->flags |= SP_EVENT_HAS_ADDRS;
	if (is_icmp(p)) {
		e->icmp_type = p->icmp_type;
		e->icmp_code = p->icmp_code;
		e->flags |= SP_EVENT_HAS_ICMP;
	} else if (has_ports(p->proto) && !(p->marks & SP_PKT_FRAGMENT)) {
		e->src_port = p->src_port;
		e->dst_port = p->dst_port;
		e->flags |= SP_EVENT_HAS_PORTS;
	}
	if (p->proto == SP_PROTO_TCP && !(p->marks & SP_PKT_FRAGMENT)) {
		e->tcp_flags = p->tcp_flags;
		e->flags |= SP_EVENT_HAS_FLAGS;
	}
}

/* When it was told, CLOCK_MONOTONIC; 0: it was not. */
SP_GLOBAL __u64 emit(__u32 slot, const struct report *r, const struct packet *p,
		     const struct sp_owner *owner)
{
	struct sp_event *e;
	struct view v;
	__u64 at_ns;
	int leaving;

	if (asking() || !r || !p)
		return 0;
	view_of_slot(&v, slot);
	leaving = is_leaving(r);
	if (!take_credit(leaving ? SP_EGRESS : r->direction,
			 v.policy ? v.policy->events_per_second : 1000)) {
		count(SP_COUNT_EVENTS_HELD);
		return 0;
	}
	e = reserve_event(leaving);
	if (!e) {
		count(SP_COUNT_EVENTS_LOST);
		return 0;
	}
	__builtin_memset(e, 0, sizeof(*e));
	at_ns = bpf_ktime_get_ns();
	e->at_ns = at_ns;
	e->cpu = (__u16)bpf_get_smp_processor_id();
	e->version = SP_LAYOUT;
	e->kind = (__u8)r->kind;
	e->reason = (__u8)r->reason;
	e->direction = (__u8)r->direction;
	e->hook = (__u8)r->hook;
	e->ifindex = r->ifindex;
	e->len = r->len;
	e->rule = r->rule;
	e->socket_family = r->family;
	e->generation = v.policy ? v.policy->generation : 0;
	if (r->exfil)
		e->flags |= SP_EVENT_EXFIL;
	describe_packet(e, p);
	if (owner) {
		e->pid = owner->pid;
		e->uid = owner->uid;
		e->cgroup = owner->cgroup;
		e->netns = owner->netns;
		__builtin_memcpy(e->comm, owner->comm, SP_COMM_LEN);
		e->flags |= SP_EVENT_HAS_OWNER;
	}
	/* A flood must not wake the daemon for each packet; what leaves is rare and grave. */
	bpf_ringbuf_submit(e, leaving ? 0 : BPF_RB_NO_WAKEUP);
	count(SP_COUNT_EVENTS_SENT);
	return at_ns;
}

#endif

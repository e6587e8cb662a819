/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_REPORT_H
#define SALLYPORT_LIB_REPORT_H
/*
 * Counting and events. Whether to report is decided before the ring is touched:
 * two CPUs at a full ring cost more than the packet. What is held back or lost
 * is counted.
 */
#include "packet.h"
#include "view.h"

static __always_inline void count(__u32 place)
{
	__u64 *n;

	if (asking())
		return;
	n = bpf_map_lookup_elem(&sp_counts, &place);
	if (n)
		*n += 1;
}

static __always_inline void count_rule(__u32 counter, __u32 openings, __u32 bytes)
{
	struct sp_rule_count *c;

	if (asking())
		return;
	c = bpf_map_lookup_elem(&sp_rule_counts, &counter);
	if (!c)
		return;
	c->admitted += openings;
	c->bytes += bytes;
}

static __always_inline void count_refused(__u32 counter, enum sp_reason reason)
{
	struct sp_rule_count *c;

	if (asking())
		return;
	c = bpf_map_lookup_elem(&sp_rule_counts, &counter);
	if (!c)
		return;
	c->denied += reason == SP_REASON_DENIED;
	c->limited += reason != SP_REASON_DENIED;
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

static __always_inline int take_credit(const struct view *v, __u32 direction)
{
	__u32 second = now_s(), per_second = v->policy ? v->policy->events_per_second : 1000;
	struct sp_credit *c = bpf_map_lookup_elem(&sp_credits, &direction);

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

SP_GLOBAL int emit(__u32 slot, const struct report *r, const struct packet *p,
		   const struct sp_owner *owner)
{
	struct sp_event *e;
	struct view v;

	if (asking() || !r || !p)
		return 0;
	view_of_slot(&v, slot);
	if (!take_credit(&v, r->direction)) {
		count(SP_COUNT_EVENTS_HELD);
		return 0;
	}
	e = bpf_ringbuf_reserve(&sp_events, sizeof(*e), 0);
	if (!e) {
		count(SP_COUNT_EVENTS_LOST);
		return 0;
	}
	__builtin_memset(e, 0, sizeof(*e));
	e->at_ns = bpf_ktime_get_ns();
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
	bpf_ringbuf_submit(e, r->direction == SP_INGRESS ? BPF_RB_NO_WAKEUP : 0);
	count(SP_COUNT_EVENTS_SENT);
	return 0;
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * NIC out, by sender: what an internet socket under the cgroup sends was judged
 * whole by cgroup_skb and only leaves its flow here; packet sockets, routed
 * traffic and the kernel's own answers are judged now.
 */
#include "lib/reader_skb.h"
#include "lib/parse_l4.h"
#include "lib/owner.h"
#include "lib/departure.h"
#include "lib/fragment.h"
#include "lib/link.h"
#include "lib/relay.h"
#include "lib/work.h"

char LICENSE[] SEC("license") = "GPL";

#define SP_TC_NEXT -1 /* TCX_NEXT and TC_ACT_UNSPEC: others may still object */
#define SP_TC_DROP 2
#define SP_AF_INET 2
#define SP_AF_INET6 10
#define SP_AF_PACKET 17

static __always_inline int is_under_cgroup(struct __sk_buff *skb)
{
	__u64 id;

	/* By known depth, because bpf_skb_under_cgroup() wants a map of file descriptors. */
	id = bpf_skb_ancestor_cgroup_id(skb, (int)sp_settings.host_level);
	return id != 0 && id == sp_settings.host_cgroup;
}

static __noinline enum sp_reason parse(const struct reader *r, const struct sp_iface *iface,
				       struct packet *p)
{
	enum sp_reason reason = SP_REASON_ETHERTYPE;

	if (iface->link == SP_LINK_ETHERNET)
		reason = parse_ethernet(r, p);
	else if (iface->link == SP_LINK_IP)
		reason = parse_bare_ip(r, p);
	return reason ? reason : parse_l3(r, p);
}

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
 * The flow of a packet that passed at the cgroup; its owner says how. Not
 * inlined, or the deepest chain would pass 512 bytes of stack.
 */
static __noinline void note_flow(const struct view *v, struct departure *d, const struct packet *p,
				 const struct sp_owner *o, struct finding *f)
{
	__u32 direction = o->opened ? o->opened - 1u : SP_EGRESS;
	__u8 state = 0;

	f->reason = SP_REASON_NONE;
	if (p->marks & SP_PKT_FRAGMENT ||
	    essential_departure(v, p, 0, d->on_host, &d->stand.iface_class, &f->reason))
		return;
	f->reason = SP_REASON_NONE;
	if (p->proto == SP_PROTO_TCP && !(p->tcp_flags & (SP_TCP_SYN | SP_TCP_FIN | SP_TCP_RST)))
		return;
	if (stands(v, d, p, direction, &state))
		return;
	if (p->proto == SP_PROTO_TCP && !(p->tcp_flags & SP_TCP_SYN))
		return;
	if (p->proto != SP_PROTO_TCP && direction == SP_INGRESS)
		state = SP_FLOW_CONFIRMED;
	struct answer a = {.rule = o->rule, .counter = o->counter};
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

/*
 * Has the hook for routed traffic judged it? That hook is behind IP, and what IP
 * sends bears the NIC's own address; a frame that only crossed a bridge does not.
 */
static __always_inline int was_routed(const struct reader *r, const struct sp_iface *nic,
				      const struct sp_iface *in)
{
	__u8 mac[6];

	if (sp_settings.forward_hook == SP_FORWARD_AT_NIC)
		return 0;
	/* The bridge that hands over to IP takes a port's place as the input: this one did not. */
	if (in && in->marks & SP_IFACE_PORT)
		return 0;
	if (sp_settings.forward_hook == SP_FORWARD_TC_INGRESS &&
	    !(in && (in->guarded || in->marks & SP_IFACE_JUDGES_ROUTED)))
		return 0;
	if (nic->link == SP_LINK_IP)
		return 1;
	if (read_bytes(r, 6, mac, 6))
		return 0;
	for (int i = 0; i < 6; i++)
		if (mac[i] != nic->mac[i])
			return 0;
	return 1;
}

/* Passed on as its hook left it, else judged here, by what the wire shows. */
static __always_inline void leave_routed(const struct reader *r, const struct view *v,
					 struct departure *d, const struct packet *p,
					 const struct sp_iface *nic, __u32 in_index,
					 struct finding *f)
{
	const struct sp_iface *in = bpf_map_lookup_elem(&sp_ifaces, &in_index);
	__u32 sides = d->stand.iface_class;
	__u8 write = d->stand.write;
	int relayed = is_own(&p->src);

	f->direction = SP_FORWARD;
	if (!was_routed(r, nic, in)) {
		f->reason = SP_REASON_FRAGMENT;
		if (p->marks & SP_PKT_FRAGMENT)
			return;
		if (in && in->guarded)
			sides |= SP_ROUTED_STRANGER;
		turn(&d->stand);
		d->stand.iface_class = class_of_iface(in, v->slot);
		if (relayed)
			d->stand.write = 0;
		judge_routed(r, v, &d->stand, p, sides, f);
		if (f->reason != SP_REASON_NONE)
			return;
	}
	f->reason = SP_REASON_NONE;
	if (!relayed)
		return;
	stand_of(&d->stand, p, 0);
	d->stand.write = write;
	d->stand.iface_class = sides & SP_ROUTED_CLASS;
	note_relay(v, &d->stand, p, f);
}

/* What judging works on; off the stack. */
struct leaving {
	struct packet p;
	struct finding f;
	struct departure d;
	struct fragment g;
};
SP_FITS_WORK(struct leaving);

/* A first fragment shows its ports: where it stands is known only now. Not inlined for its stack.
 */
static __noinline enum sp_reason look_into_fragment(const struct reader *r, struct leaving *w)
{
	enum sp_reason reason = check_piece(r, &w->p, &w->g.piece);

	stand_of(&w->d.stand, &w->p, 0);
	return reason;
}

/*
 * Of what cgroup_skb did not let pass whole: the kernel's own datagrams, cut up
 * on their way here, when fragments are tracked; from packet sockets none. 1 when
 * that is decided; `unsound` is what looking into it came to.
 */
static __always_inline int judge_fragment(const struct view *v, struct leaving *w, __u32 ifindex,
					  enum sp_reason unsound)
{
	w->f.direction = SP_EGRESS;
	w->f.reason = SP_REASON_FRAGMENT;
	if (w->d.sender == SENDER_PACKET || !(v->policy->flags & SP_SLOT_FRAGMENTS))
		return 1;
	w->f.reason = unsound;
	if (unsound || w->g.piece.kind != PIECE_LATER)
		return unsound != SP_REASON_NONE;
	judge_later(v, &w->p, &w->g, ifindex, 1, &w->f);
	return 1;
}

static __always_inline void judge(struct __sk_buff *skb, const struct reader *r,
				  const struct view *v, const struct sp_iface *nic,
				  struct leaving *w)
{
	struct bpf_sock *sk = skb->sk;
	struct departure *d = &w->d;
	struct packet *p = &w->p;
	struct finding *f = &w->f;
	enum sp_reason unsound = SP_REASON_NONE;
	int fragment = p->marks & SP_PKT_FRAGMENT;
	__u32 family = sk ? sk->family : 0;
	struct sp_owner *o = 0;
	int inet = family == SP_AF_INET || family == SP_AF_INET6;

	if (p->family == 0) {
		judge_link(r, v, p, f);
		return;
	}
	if (!sk && skb->ingress_ifindex != 0) {
		leave_routed(r, v, d, p, nic, skb->ingress_ifindex, f);
		return;
	}
	if (answers_by_socket(skb, d, p))
		d->stand.write = 0;
	if (inet && is_under_cgroup(skb)) {
		sk = bpf_sk_fullsock(sk);
		if (sk)
			o = bpf_sk_storage_get(&sp_owners, sk, 0, 0);
	}
	if (fragment)
		unsound = look_into_fragment(r, w);
	if (o && was_judged(o, p, fragment)) {
		f->reason = SP_REASON_NONE;
		if (!unsound)
			note_flow(v, d, p, o, f);
		return;
	}
	d->stand.identity = o ? identity_of(v, bpf_skb_cgroup_id(skb), o) : 0;
	d->sender = family == SP_AF_PACKET ? SENDER_PACKET : SENDER_KERNEL;
	if (fragment && judge_fragment(v, w, skb->ifindex, unsound))
		return;
	judge_departure(r, v, d, p, f);
	if (f->reason == SP_REASON_NONE && w->g.piece.kind == PIECE_FIRST)
		keep_first(v, p, &w->g, skb->ifindex, 1, f);
	/* The kernel's error about something that it routes. */
	if (f->reason == SP_REASON_ICMP_UNRELATED && d->sender == SENDER_KERNEL) {
		d->stand.arriving = 0;
		if (stand_of_quote(r, p, &d->stand) &&
		    quote_may_pass(v, &d->stand, 0, d->stand.iface_class))
			f->reason = SP_REASON_NONE;
	}
}

SEC("tc")
int sp_tc_egress(struct __sk_buff *skb)
{
	struct scene s = {.hook = SP_HOOK_TC, .ifindex = skb->ifindex, .len = skb->len};
	struct reader r = reader_of(skb);
	struct leaving *w = work_area(SP_WORK_TC);
	const struct sp_iface *iface;
	struct view v;
	int pass;

	iface = bpf_map_lookup_elem(&sp_ifaces, &s.ifindex);
	if (!iface || !w)
		return SP_TC_DROP;
	__builtin_memset(w, 0, sizeof(*w));
	w->d.guarded = 1;
	w->d.on_host = 1;
	w->d.keeps = 1;
	w->f.direction = SP_EGRESS;
	w->f.reason = view_of(&v);
	if (w->f.reason == SP_REASON_NONE)
		w->f.reason = parse(&r, iface, &w->p);
	if (w->f.reason == SP_REASON_NONE)
		w->f.reason = check_options(&v, &w->p);
	if (w->f.reason == SP_REASON_NONE) {
		s.iface_class = iface->iface_class[v.slot % SP_SLOTS];
		stand_of(&w->d.stand, &w->p, 0);
		w->d.stand.iface_class = s.iface_class;
		judge(skb, &r, &v, iface, w);
	}
	pass = settle(v.slot, &s, &w->f, &w->p, 0);
	count_nic(SP_NICS_MAX + iface->counter, s.len, pass);
	return pass ? SP_TC_NEXT : SP_TC_DROP;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * cgroup out: every packet of every internet socket under the cgroup, in any
 * namespace, after the host's own NAT. A connection's memory is its socket's
 * storage, never the flow table: a tuple does not say who sends.
 */
#include "lib/reader_skb.h"
#include "lib/parse_l4.h"
#include "lib/owner.h"
#include "lib/departure.h"

char LICENSE[] SEC("license") = "GPL";

#define SP_IFINDEX_LO 1 /* in every namespace */
#define SP_SOCK_RAW 3

/* Where the packet goes out. An interface of another namespace is not guarded and has no class. */
static __always_inline void find_exit(const struct view *v, const struct sp_owner *owner,
				      __u32 ifindex, struct departure *d)
{
	const struct sp_iface *iface = bpf_map_lookup_elem(&sp_ifaces, &ifindex);

	d->on_host = !owner || !owner->netns || owner->netns == sp_settings.host_netns;
	d->guarded = d->on_host && (!iface || iface->guarded);
	d->stand.iface_class = d->on_host && iface ? iface->iface_class[v->slot % SP_SLOTS] : 0;
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

static __noinline enum sp_reason parse(const struct reader *r, struct packet *p)
{
	enum sp_reason reason = parse_bare_ip(r, p);

	return reason ? reason : parse_l3(r, p);
}

SEC("cgroup_skb/egress")
int sp_cg_egress(struct __sk_buff *skb)
{
	struct scene s = {.hook = SP_HOOK_CGROUP, .ifindex = skb->ifindex, .len = skb->len};
	struct reader r = reader_of(skb);
	struct finding f = {.direction = SP_EGRESS};
	struct departure d = {};
	struct packet p = {};
	struct sp_owner *o = 0;
	struct bpf_sock *sk;
	struct view v;

	if (skb->ifindex == SP_IFINDEX_LO)
		return 1;
	sk = skb->sk;
	if (sk)
		sk = bpf_sk_fullsock(sk);
	if (sk)
		o = bpf_sk_storage_get(&sp_owners, sk, 0, 0);
	f.reason = view_of(&v);
	if (f.reason == SP_REASON_NONE)
		f.reason = parse(&r, &p);
	if (f.reason == SP_REASON_NONE)
		f.reason = check_options(&v, &p);
	if (f.reason == SP_REASON_NONE) {
		stand_of(&d.stand, &p, 0);
		find_exit(&v, o, s.ifindex, &d);
		s.iface_class = d.stand.iface_class;
		d.stand.write = 0;
		d.stand.identity = identity_of(&v, bpf_skb_cgroup_id(skb), o);
		d.sender = SENDER_KERNEL;
		if (sk && o)
			d.sender = sk->type == SP_SOCK_RAW ? SENDER_RAW : SENDER_SOCKET;
		if (!o || d.sender != SENDER_SOCKET || p.marks & SP_PKT_FRAGMENT)
			judge_departure(&r, &v, &d, &p, &f);
		else if (p.proto == SP_PROTO_TCP)
			judge_connection(skb, &v, &d, &p, o, &f);
		else if (!essential_departure(&v, &p, 0, d.on_host, &d.stand.iface_class,
					      &f.reason))
			judge_datagram(skb, &v, &d, &p, o, &f);
	}
	return settle(v.slot, &s, &f, &p, o) != 0; /* the bound is for the verifier */
}

/*
 * cgroup in: judges nothing. Over an interface that is not guarded everybody
 * may ask; remember who did, so that the answer is one.
 */
SEC("cgroup_skb/ingress")
int sp_cg_ingress(struct __sk_buff *skb)
{
	__u32 ifindex = skb->ifindex, now = now_s();
	struct sp_asked_key key = {};
	struct reader r = reader_of(skb);
	const struct sp_iface *iface;
	struct packet p = {};
	struct sp_owner *o;
	struct bpf_sock *sk = skb->sk;
	const __u32 *at;

	if (ifindex == SP_IFINDEX_LO || !sk || asking())
		return 1;
	sk = bpf_sk_fullsock(sk);
	if (!sk)
		return 1;
	o = bpf_sk_storage_get(&sp_owners, sk, 0, 0);
	if (!o || sk->type == SP_SOCK_RAW || sk->protocol == SP_PROTO_TCP)
		return 1;
	iface = bpf_map_lookup_elem(&sp_ifaces, &ifindex);
	if (o->netns == sp_settings.host_netns && (!iface || iface->guarded))
		return 1;
	if (parse(&r, &p))
		return 1;
	key.remote = p.src;
	key.remote_port = p.src_port;
	key.cookie = bpf_get_socket_cookie(skb);
	at = bpf_map_lookup_elem(&sp_asked, &key);
	if (!at || *at != now)
		bpf_map_update_elem(&sp_asked, &key, &now, BPF_ANY);
	return 1;
}

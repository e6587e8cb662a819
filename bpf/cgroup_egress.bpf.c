// SPDX-License-Identifier: GPL-2.0-only
/*
 * cgroup out: every packet of every internet socket under the cgroup, in any
 * namespace, after the host's own NAT. A connection's memory is its socket's
 * storage, never the flow table: a tuple does not say who sends.
 */
#include "lib/reader_skb.h"
#include "lib/parse_packet.h"
#include "lib/capture.h"
#include "lib/sending.h"

char LICENSE[] SEC("license") = "GPL";

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
		o = asking() ? asked_owner() : bpf_sk_storage_get(&sp_owners, sk, 0, 0);
	f.reason = view_of(&v);
	if (f.reason == SP_REASON_NONE)
		f.reason = parse_packet(&r, &p);
	if (f.reason == SP_REASON_NONE)
		f.reason = check_options(&v, &p);
	if (f.reason == SP_REASON_NONE) {
		stand_of(&d.stand, &p, 0);
		find_exit(&v, o, s.ifindex, &d);
		s.iface_class = d.stand.iface_class;
		d.stand.write = 0;
		d.stand.identity =
		    identity_of(&v, asking() ? sp_question.cgroup : bpf_skb_cgroup_id(skb), o);
		d.sender = SENDER_KERNEL;
		if (sk && o)
			d.sender = sk->type == SP_SOCK_RAW ? SENDER_RAW : SENDER_SOCKET;
		if (is_for_banned(&v, &d, &p))
			f.reason = SP_REASON_BANNED;
		else if (!o || d.sender != SENDER_SOCKET || p.marks & SP_PKT_FRAGMENT)
			judge_departure(&r, &v, &d, &p, &f);
		else if (p.proto == SP_PROTO_TCP)
			judge_connection(skb, &v, &d, &p, o, &f);
		else if (!essential_departure(&v, &p, 0, d.on_host, &d.stand.iface_class,
					      &f.reason))
			judge_datagram(skb, &v, &d, &p, o, &f);
	}
	return settle_seen(&r, &v, &s, &f, &p, o, SP_CAPTURE_IP);
}

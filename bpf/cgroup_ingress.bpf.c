// SPDX-License-Identifier: GPL-2.0-only
/*
 * cgroup in: judges nothing. Over an interface that is not guarded everybody
 * may ask; remember who did, so that the answer is one. And hear what a resolver
 * of this host answers, whose own questions may have left encrypted.
 */
#include "lib/reader_skb.h"
#include "lib/answer.h"
#include "lib/owner.h"
#include "lib/parse_packet.h"

char LICENSE[] SEC("license") = "GPL";

#define SP_SOCK_RAW 3

SEC("cgroup_skb/ingress")
int sp_cg_ingress(struct __sk_buff *skb)
{
	__u32 ifindex = skb->ifindex, now = now_s();
	int local = ifindex == SP_IFINDEX_LO;
	struct sp_asked_key key = {};
	struct reader r = reader_of(skb);
	const struct sp_iface *iface;
	struct packet p = {};
	struct sp_owner *o;
	struct bpf_sock *sk = skb->sk;
	const __u32 *at;

	/* Over loopback only a socket that is connected to a resolver: no other sends to it. */
	if (!sk || (local && sk->dst_port != bpf_htons(SP_DNS_PORT)) || asking())
		return 1;
	sk = bpf_sk_fullsock(sk);
	if (!sk)
		return 1;
	o = bpf_sk_storage_get(&sp_owners, sk, 0, 0);
	if (!o || sk->type == SP_SOCK_RAW || sk->protocol == SP_PROTO_TCP)
		return 1;
	/* In another namespace than the host's anybody may be the resolver. */
	if (local && o->netns != sp_settings.host_netns)
		return 1;
	iface = bpf_map_lookup_elem(&sp_ifaces, &ifindex);
	if (!local && o->netns == sp_settings.host_netns && (!iface || iface->guarded))
		return 1;
	if (parse_packet(&r, &p))
		return 1;
	if (local) {
		if (p.proto == SP_PROTO_UDP && p.src_port == SP_DNS_PORT)
			keep_answer(&r, slot_in_force(), p.l4_offset, p.end);
		return 1;
	}
	key.remote = p.src;
	key.remote_port = p.src_port;
	key.cookie = bpf_get_socket_cookie(skb);
	at = bpf_map_lookup_elem(&sp_asked, &key);
	if (!at || *at != now)
		bpf_map_update_elem(&sp_asked, &key, &now, BPF_ANY);
	return 1;
}

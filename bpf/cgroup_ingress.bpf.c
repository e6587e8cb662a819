// SPDX-License-Identifier: GPL-2.0-only
/*
 * cgroup in: judges nothing. Over an interface that is not guarded everybody
 * may ask; remember who did, so that the answer is one.
 */
#include "lib/reader_skb.h"
#include "lib/owner.h"
#include "lib/parse_packet.h"

char LICENSE[] SEC("license") = "GPL";

#define SP_SOCK_RAW 3

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
	if (parse_packet(&r, &p))
		return 1;
	key.remote = p.src;
	key.remote_port = p.src_port;
	key.cookie = bpf_get_socket_cookie(skb);
	at = bpf_map_lookup_elem(&sp_asked, &key);
	if (!at || *at != now)
		bpf_map_update_elem(&sp_asked, &key, &now, BPF_ANY);
	return 1;
}

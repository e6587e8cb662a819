// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections that were accepted, and those that rules count. sp_sock_ops stands at the
 * cgroup; the others are never attached: the daemon runs them to count anew, in case
 * somebody has had it off its hook or has told the kernel not to call it.
 */
#include "lib/accepted.h"
#include "lib/counted.h"
#include "lib/iterator_types.h"

char LICENSE[] SEC("license") = "GPL";

#define SP_TCP_ESTABLISHED 1
#define SP_TCP_CLOSE 7

SEC("sockops")
int sp_sock_ops(struct bpf_sock_ops *ops)
{
	if (ops->op == BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB) {
		note_accepted(ops);
		/* TCP fast open: a socket already, and its handshake is still to be completed. */
		if (ops->skb_tcp_flags & SP_TCP_SYN)
			bpf_sock_ops_cb_flags_set(ops, ops->bpf_sock_ops_cb_flags |
							   BPF_SOCK_OPS_STATE_CB_FLAG);
		else
			count_in(ops);
	}
	if (ops->op == BPF_SOCK_OPS_STATE_CB && ops->args[1] == SP_TCP_ESTABLISHED)
		count_in(ops);
	if (ops->op == BPF_SOCK_OPS_STATE_CB && ops->args[1] == SP_TCP_CLOSE)
		count_out(ops);
	return 1;
}

/* Every socket that was ever counted and is not gone yet. */
SEC("iter/bpf_sk_storage_map")
int sp_peers_see(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct sp_counted *c = ctx->value;
	struct sock *sk = ctx->sk;
	struct sp_peer_set *set;
	__u32 round, now;

	if (!sk || !c || sk->__sk_common.skc_state == SP_TCP_CLOSE)
		return 0;
	round = round_of();
	now = (__u32)(bpf_ktime_get_ns() / 1000000000ull);
	set = peer_set_of(&c->peer);
	if (!set)
		return 0;
	lock_peers(set);
	see_locked(set, c, round, now);
	unlock_peers(set);
	return 0;
}

/* What was seen is what there is; of SP_PEER_SETTLED sets from the packet's first word on. */
SEC("xdp")
int sp_peers_settle(struct xdp_md *ctx)
{
	__u32 first = 0, round = round_of();

	if (bpf_xdp_load_bytes(ctx, 0, &first, sizeof(first)))
		return 0;
	for (__u32 i = 0; i < SP_PEER_SETTLED; i++) {
		__u32 index = first + i;
		struct sp_peer_set *set = bpf_map_lookup_elem(&sp_peers, &index);

		if (!set)
			return 1;
		lock_peers(set);
		settle_locked(set, round);
		unlock_peers(set);
	}
	return 1;
}

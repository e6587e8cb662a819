/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_COUNTED_H
#define SALLYPORT_LIB_COUNTED_H
/* A socket that is counted, from the moment that the stack makes it to its end. */
#include "connections.h"

#define SP_AF_INET 2

static __always_inline __u32 round_of(void)
{
	__u32 zero = 0;
	const __u32 *round = bpf_map_lookup_elem(&sp_peer_round, &zero);

	return round ? *round : 0;
}

/*
 * As XDP saw its segments. What is read is read in any case: clang 19 would make of the two
 * families one read by an address that the verifier does not take ("modified ctx ptr").
 */
static __always_inline void key_of(struct bpf_sock_ops *ops, struct sp_flow_key *key)
{
	__u32 remote4 = ops->remote_ip4, local4 = ops->local_ip4;

	barrier_var(remote4);
	barrier_var(local4);
	key->proto = SP_PROTO_TCP;
	key->remote_port = (__u16)bpf_ntohl(ops->remote_port);
	key->local_port = (__u16)ops->local_port;
	key->remote.words[0] = ops->remote_ip6[0];
	key->remote.words[1] = ops->remote_ip6[1];
	key->remote.words[2] = ops->remote_ip6[2];
	key->remote.words[3] = ops->remote_ip6[3];
	key->local.words[0] = ops->local_ip6[0];
	key->local.words[1] = ops->local_ip6[1];
	key->local.words[2] = ops->local_ip6[2];
	key->local.words[3] = ops->local_ip6[3];
	if (ops->family == SP_AF_INET) {
		set_v4(&key->remote, remote4);
		set_v4(&key->local, local4);
	}
}

/* It is counted when its handshake took a place in XDP. */
static __noinline int count_in(struct bpf_sock_ops *ops)
{
	const struct sp_handshake *h;
	struct bpf_sock *sk = ops->sk;
	struct sp_flow_key key = {};
	struct sp_peer_set *set;
	struct sp_counted *c;
	__u32 since, round, now = now_s();

	key_of(ops, &key);
	h = bpf_map_lookup_elem(&sp_handshakes, &key);
	if (!h || !sk || h->isn + 1 != ops->snd_una)
		return 0;
	c = bpf_sk_storage_get(&sp_counted, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!c || c->state)
		return 0;
	c->peer = h->peer;
	since = h->since_s;
	set = peer_set_of(&c->peer);
	/* Whose end nobody tells must not be counted: it would be for ever. */
	if (!set ||
	    bpf_sock_ops_cb_flags_set(ops, ops->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG))
		return 0;
	round = round_of(); /* behind the making of what a recount goes over */
	lock_peers(set);
	open_locked(set, c, since, round, now);
	unlock_peers(set);
	((struct sp_handshake *)h)->made = 1;
	return 0;
}

static __noinline int count_out(struct bpf_sock_ops *ops)
{
	struct bpf_sock *sk = ops->sk;
	struct sp_flow_key key = {};
	struct sp_peer_set *set;
	struct sp_counted *c;

	if (!sk)
		return 0;
	c = bpf_sk_storage_get(&sp_counted, sk, 0, 0);
	if (!c)
		return 0;
	set = peer_set_of(&c->peer);
	if (!set)
		return 0;
	lock_peers(set);
	end_locked(set, c);
	unlock_peers(set);
	/* A SYN cookie can come again: it is another connection then. */
	key_of(ops, &key);
	bpf_map_delete_elem(&sp_handshakes, &key);
	return 0;
}

#endif

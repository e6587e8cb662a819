/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_SOCKET_H
#define SALLYPORT_LIB_SOCKET_H
/*
 * What the kernel itself knows of a TCP connection. A socket proves life, not
 * permission, and does not say who opened it: a connection whose local port a
 * listener holds is taken for an inbound one. Sees the namespace of the hook;
 * a connection behind NAT is not found by its wire tuple.
 */
#include "packet.h"
#include "address.h"

enum tcp_life {
	TCP_UNKNOWN = 0,
	TCP_LISTENER = 1, /* only a listener: an ACK may bear a SYN cookie */
	TCP_INBOUND = 2,
	TCP_OUTBOUND = 3,
	TCP_HANDSHAKE = 4, /* inbound, and not complete yet */
};

#define SP_STATE_SYN_RECV 3 /* of a socket: TCP fast open, its handshake not complete */
#define SP_STATE_LISTEN 10
#define SP_STATE_NEW_SYN_RECV 12

/* The socket of this tuple, null when there is none; to be released. */
static __always_inline struct bpf_sock *tcp_socket(void *ctx, const struct sp_flow_key *key,
						   __u16 remote_port)
{
	struct bpf_sock_tuple tuple = {};
	__u32 size;

	if (is_mapped(&key->remote)) {
		tuple.ipv4.saddr = key->remote.words[3];
		tuple.ipv4.daddr = key->local.words[3];
		tuple.ipv4.sport = bpf_htons(remote_port);
		tuple.ipv4.dport = bpf_htons(key->local_port);
		size = sizeof(tuple.ipv4);
	} else {
		__builtin_memcpy(tuple.ipv6.saddr, key->remote.words, 16);
		__builtin_memcpy(tuple.ipv6.daddr, key->local.words, 16);
		tuple.ipv6.sport = bpf_htons(remote_port);
		tuple.ipv6.dport = bpf_htons(key->local_port);
		size = sizeof(tuple.ipv6);
	}
	return bpf_skc_lookup_tcp(ctx, &tuple, size, BPF_F_CURRENT_NETNS, 0);
}

/* TCP state of the socket of this tuple, 0 when there is none. */
static __noinline __u32 tcp_state(void *ctx, const struct sp_flow_key *key, __u16 remote_port)
{
	struct bpf_sock *sk = tcp_socket(ctx, key, remote_port);
	__u32 state;

	if (!sk)
		return 0;
	state = sk->state;
	bpf_sk_release(sk);
	return state;
}

static __always_inline enum tcp_life tcp_life_of(void *ctx, const struct sp_flow_key *key)
{
	__u32 state;

	if (sp_settings.forget_flows)
		return TCP_UNKNOWN;
	state = tcp_state(ctx, key, key->remote_port);
	if (state == 0)
		return TCP_UNKNOWN;
	if (state == SP_STATE_LISTEN)
		return TCP_LISTENER;
	if (state == SP_STATE_NEW_SYN_RECV)
		return TCP_HANDSHAKE;
	/* No connection has port 0: the lookup ends at a listener, if there is one. */
	if (tcp_state(ctx, key, 0) != SP_STATE_LISTEN)
		return TCP_OUTBOUND;
	return state == SP_STATE_SYN_RECV ? TCP_HANDSHAKE : TCP_INBOUND;
}

#endif

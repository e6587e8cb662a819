/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_OFFER_H
#define SALLYPORT_LIB_OFFER_H
/*
 * What a listener offers in a SYN+ACK, learnt from the stack's own. A SYN cookie keeps
 * the options in the low bits of the time stamp (cookie_init_timestamp), and at the ACK
 * the stack computes its own window scale again: from the listener's buffer, and from
 * net.core.rmem_max, which a program cannot read. So what was learnt holds for as long
 * as all else that it comes of is the same.
 */
#include "kernel_types.h"
#include "maps.h"
#include "tcp_options.h"

#define SP_RCVBUF_LOCK 2u /* SOCK_RCVBUF_LOCK */
#define SP_STAMPS_PLAIN 2 /* net.ipv4.tcp_timestamps: without an offset for each peer */

static __always_inline const struct net *net_of(const struct sock *sk)
{
	return sk->__sk_common.skc_net.net;
}

/* The options that its namespace agrees to now; *now is what its window scale comes of. */
static __always_inline __u32 read_listener(struct bpf_sock *listener, struct sp_offer *now)
{
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(listener);
	const struct sock *sk = (const struct sock *)tcp;
	const struct net *net;

	if (!tcp)
		return 0;
	now->clamp = tcp->window_clamp;
	now->buffer = (__u32)sk->sk_rcvbuf;
	now->locked = !!(BPF_CORE_READ_BITFIELD(sk, sk_userlocks) & SP_RCVBUF_LOCK);
	net = net_of(sk);
	now->most = (__u32)net->ipv4.sysctl_tcp_rmem[2];
	/* Of an option that it no longer agrees to the stack refuses the ACK. */
	if (net->ipv4.sysctl_tcp_timestamps != SP_STAMPS_PLAIN ||
	    !net->ipv4.sysctl_tcp_window_scaling)
		return 0;
	return SP_TCP_HAS_STAMP | (net->ipv4.sysctl_tcp_sack ? SP_TCP_HAS_SACK : 0);
}

static __always_inline int is_same_listener(const struct sp_offer *a, const struct sp_offer *b)
{
	return a->buffer == b->buffer && a->clamp == b->clamp && a->most == b->most &&
	       a->locked == b->locked;
}

/* What may be offered in its name: *offer, zero where nothing is known but an MSS. */
static __always_inline void recall_offer(struct bpf_sock *listener, const struct sp_offer_key *key,
					 struct sp_offer *offer)
{
	const struct sp_offer *known = bpf_map_lookup_elem(&sp_offers, key);
	__u32 agreed = read_listener(listener, offer);

	offer->mss = known ? known->mss : 0;
	offer->scale = 0;
	offer->marks = 0;
	if (!known || !is_same_listener(known, offer))
		return;
	offer->marks = known->marks & (__u8)agreed;
	offer->scale = known->scale;
}

#endif

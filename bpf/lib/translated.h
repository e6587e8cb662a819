/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_TRANSLATED_H
#define SALLYPORT_LIB_TRANSLATED_H
/*
 * What arrives for a connection behind this host's own NAT whose entry the flow table
 * has lost: no socket has the tuple on the wire, and an end that only receives says
 * nothing that would enter it again. Conntrack vouches that the connection runs, never
 * that it may: it is judged as it was opened.
 */
#include "ask_conntrack.h"
#include "known.h"

/* As its opening would be; a refused one is cut. */
static __always_inline void judge_running(const struct view *v, const struct stand *s,
					  __u32 direction, struct finding *f)
{
	struct answer a = {};

	judge_as_opened(v, s, direction, &a);
	take_answer(f, &a);
	f->direction = direction;
	if (a.reason != SP_REASON_NONE)
		f->reason = SP_REASON_CUT;
	else if (direction != SP_FORWARD)
		remember(v, s, direction, &a, SP_FLOW_CONFIRMED);
}

/* It was asked for behind this host: *s is where it stands in front of him. */
static __always_inline void judge_asked_behind(const struct view *v, struct stand *s,
					       const struct sp_flow_key *opened, struct finding *f)
{
	f->direction = SP_FORWARD;
	f->reason = SP_REASON_NONE;
	f->rule = 0;
	f->by_rule = 0;
	f->opened = 0;
	if (sp_settings.forward_hook == SP_FORWARD_NETFILTER)
		return; /* which knows both interfaces, and judges it next */
	s->key.local = s->key.remote;
	s->key.local_port = s->key.remote_port;
	s->key.remote = opened->remote;
	s->key.remote_port = opened->remote_port;
	s->iface_class = 0; /* the interface that he is behind is not known here */
	judge_running(v, s, SP_FORWARD, f);
}

/*
 * Of a packet that was refused and opens nothing; *f is left alone when conntrack knows no
 * better. Whoever asks in datagrams is judged by the rules each time.
 */
static __noinline int judge_translated(void *ctx, const struct view *v, struct stand *s,
				       struct finding *f)
{
	struct sp_flow_key opened = {};
	__u32 asked;

	if (!knows_translated(&s->key))
		return 0;
	asked = ask_conntrack(ctx, &s->key, &opened);
	if (asked == ASKED_BEHIND)
		judge_asked_behind(v, s, &opened, f);
	else if (asked != NOT_TRANSLATED && s->key.proto == SP_PROTO_TCP)
		judge_running(v, s, asked == ASKED_BY_PEER ? SP_INGRESS : SP_EGRESS, f);
	return 0;
}

/*
 * A relayed flow's peer sends to a port at which a socket of this host is bound, and
 * conntrack does not say that the flow still runs: then it would end there, and is judged
 * as what asks that socket. Before 6.4; later sp_nf_hold sees what becomes of it.
 */
static __noinline int ends_at_own_socket(void *ctx, const struct stand *s)
{
	struct sp_flow_key opened = {};
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk;

	if (sp_settings.forward_hook == SP_FORWARD_NETFILTER || s->key.proto != SP_PROTO_UDP)
		return 0;
	if (tuple_of(&s->key, &tuple) == sizeof(tuple.ipv4))
		sk = bpf_sk_lookup_udp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	else
		sk = bpf_sk_lookup_udp(ctx, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return 0;
	bpf_sk_release(sk);
	return !knows_translated(&s->key) || ask_conntrack(ctx, &s->key, &opened) != ASKED_BEHIND;
}

/* Somebody behind this host asked, by an address that is not the host's: only conntrack knows. */
static __noinline int judge_pool(void *ctx, const struct view *v, struct stand *s,
				 struct finding *f)
{
	struct sp_flow_key opened = {};

	if (knows_translated(&s->key) && ask_conntrack(ctx, &s->key, &opened) == ASKED_BEHIND)
		judge_asked_behind(v, s, &opened, f);
	return 0;
}

/* Is what an ICMP error quotes a packet of such a connection? */
static __noinline int is_translated(void *ctx, const struct stand *s)
{
	struct sp_flow_key opened = {};

	return knows_translated(&s->key) && ask_conntrack(ctx, &s->key, &opened) != NOT_TRANSLATED;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_HANDSHAKE_H
#define SALLYPORT_LIB_HANDSHAKE_H
/* Which handshake a segment completes, and whether its rule has a place for it. */
#include "connections.h"
#include "cookie.h"
#include "kernel_types.h"
#include "translated.h"

/*
 * A flow says that it is known, and may speak of an earlier connection of the same ports:
 * the socket says whether this is a handshake, and the policy which rule is asked then.
 */
static __noinline int look_for_handshake(void *ctx, const struct view *v, const struct stand *s,
					 struct finding *f)
{
	__u32 state = tcp_state(ctx, &s->key, s->key.remote_port);
	struct answer a = {};

	if (state != SP_STATE_NEW_SYN_RECV && state != SP_STATE_SYN_RECV &&
	    state != SP_STATE_LISTEN)
		return 0;
	judge_as_opened(v, s, SP_INGRESS, &a);
	if (a.reason != SP_REASON_NONE)
		return 0;
	take_answer(f, &a);
	f->cookie = state == SP_STATE_LISTEN ? SP_COOKIE_BORNE_AGAIN : SP_COOKIE_NEEDLESS;
	return 0;
}

/* Of a connection that a flow says was let in: may its rule count? */
static __always_inline int may_be_counted(const struct finding *f)
{
	__u32 counter = f->counter;
	const struct sp_limit_state *state;

	if (f->direction != SP_INGRESS)
		return 0;
	state = bpf_map_lookup_elem(&sp_limit_states, &counter);
	return state && state->counts;
}

/*
 * Does the segment acknowledge what this end began the handshake with? Then *isn is that,
 * and its sender has heard of it. An ACK to a listener does by its cookie.
 */
static __noinline int completes(const struct reader *r, const struct packet *p,
				const struct stand *s, __u32 cookie, __u32 *isn)
{
	const struct tcp_request_sock *half;
	const struct tcp_sock *whole;
	struct bpf_sock *sk;
	__u8 ack[4] = {};
	int right;

	if (read_bytes(r, p->l4_offset + 8, ack, 4))
		return 0;
	*isn = ((__u32)ack[0] << 24 | (__u32)ack[1] << 16 | (__u32)ack[2] << 8 | ack[3]) - 1;
	if (cookie != SP_COOKIE_NEEDLESS)
		return bears_cookie(r, p, s);
	sk = tcp_socket(r->ctx, &s->key, s->key.remote_port);
	if (!sk)
		return 0;
	half = bpf_skc_to_tcp_request_sock(sk);
	whole = half ? 0 : bpf_skc_to_tcp_sock(sk);
	right = half && half->snt_isn == *isn;
	if (whole && sk->state == SP_STATE_SYN_RECV) {
		*isn = whole->snd_una - 1;
		right = 1;
	}
	bpf_sk_release(sk);
	return right;
}

/* Does this host rewrite where it goes? Asked of few: strays at a listener's port. */
static __noinline int is_rewritten(void *ctx, const struct stand *s)
{
	struct sp_flow_key opened = {};

	return sp_asks_conntrack && !sp_settings.forget_flows &&
	       ask_conntrack(ctx, &s->key, &opened) != NOT_TRANSLATED;
}

/*
 * A segment of a handshake that a rule lets in. What completes nothing goes to the stack,
 * which answers it; but where the host rewrites its destination, to whom that leads. (A
 * flow that is known may have been that before its rule counted.)
 */
static __noinline int judge_handshake(const struct reader *r, const struct view *v,
				      const struct stand *s, const struct packet *p,
				      struct finding *f)
{
	struct beginning b = beginning_of(p, f);
	const struct sp_limit *limit;
	__u32 isn;

	/* A RST completes nothing: who heard no more gives up, and the stack is to hear of it. */
	if (!b.limit || p->tcp_flags & SP_TCP_RST)
		return 0;
	limit = limit_of(v->slot, &b);
	if (limit && !limit->connections)
		return 0;
	if (limit && !completes(r, p, s, f->cookie, &isn)) {
		if (f->cookie == SP_COOKIE_BORNE && is_rewritten(r->ctx, s))
			f->reason = SP_REASON_NOT_COUNTED;
		return 0;
	}
	f->reason = SP_REASON_TOO_MANY_CONNECTIONS;
	if (limit && take_connection(v->slot, &b, &s->key, isn))
		f->reason = SP_REASON_NONE;
	return 0;
}

/* A TCP segment that opens nothing. `known`: a flow said what *f holds. */
static __always_inline void judge_stream(const struct reader *r, const struct view *v,
					 struct stand *s, const struct packet *p, struct finding *f,
					 int known)
{
	if (known && ends_at_listener(r->ctx, s, p, f))
		known = 0;
	f->cookie = 0;
	if (!known)
		judge_segment(r->ctx, v, s, p, f);
	else if (f->reason == SP_REASON_NONE && may_be_counted(f))
		look_for_handshake(r->ctx, v, s, f);
	if (f->cookie == SP_COOKIE_BORNE)
		judge_cookie(r, v, s, p, f);
	if (f->cookie && f->reason == SP_REASON_NONE)
		judge_handshake(r, v, s, p, f);
	if (!known && f->reason != SP_REASON_NONE && f->reason != SP_REASON_CUT &&
	    f->reason != SP_REASON_TOO_MANY_CONNECTIONS && f->reason != SP_REASON_NOT_COUNTED)
		judge_translated(r->ctx, v, s, f);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_COOKIE_H
#define SALLYPORT_LIB_COOKIE_H
/*
 * SYN cookies (RFC 4987) that XDP gives in the listener's name: the kernel's own, by
 * bpf_tcp_gen_syncookie (5.3), so its stack takes the ACK that bears one and makes the
 * socket. That asks for net.ipv4.tcp_syncookies = 2; at 1 the helper gives one only
 * while the listener's own queue is full. What a limit counts then is the ACK.
 */
#include "beginning.h"
#include "paid.h"
#include "socket.h"
#include "stand.h"
#include "tcp_options.h"

#define SP_IP_BYTES 40u /* of IPv6; of IPv4 the first 20 are looked at */

/* Is it the answer to a cookie that was given in this listener's name? */
static __noinline int bears_cookie(const struct reader *r, const struct packet *p,
				   const struct stand *s)
{
	__u8 ip[SP_IP_BYTES] = {}, tcp[SP_TCP_BYTES] = {};
	struct bpf_sock *listener;
	long bad = -1;

	if (p->family == 4 ? read_bytes(r, p->l3_offset, ip, 20)
			   : read_bytes(r, p->l3_offset, ip, SP_IP_BYTES))
		return 0;
	if (read_bytes(r, p->l4_offset, tcp, SP_TCP_BYTES))
		return 0;
	listener = tcp_socket(r->ctx, &s->key, s->key.remote_port);
	if (!listener)
		return 0;
	if (listener->state == SP_STATE_LISTEN)
		bad = bpf_tcp_check_syncookie(listener, ip, p->family == 4 ? 20 : SP_IP_BYTES,
					      (struct tcphdr *)tcp, SP_TCP_BYTES);
	bpf_sk_release(listener);
	return bad == 0;
}

/*
 * Of a flow that a FIN or RST has ended, and that the table still knows: is there no more
 * than the listener? Then its cookie, sent again, would open another connection.
 */
static __always_inline int ends_at_listener(void *ctx, const struct stand *s,
					    const struct packet *p, const struct finding *f)
{
	return (p->tcp_flags & (SP_TCP_ACK | SP_TCP_RST)) == SP_TCP_ACK &&
	       f->cookie & SP_COOKIE_ENDED && f->direction == SP_INGRESS &&
	       f->reason == SP_REASON_NONE &&
	       tcp_state(ctx, &s->key, s->key.remote_port) == SP_STATE_LISTEN;
}

/*
 * An ACK to a listener that a rule with a limit lets in. With a right cookie it opens a
 * connection: when the stack gave it, and for no other connection yet, its SYN was
 * counted; else the ACK is what counts. While XDP answers SYNs, and as long after as a
 * cookie lives, it must bear one; at other times the stack says what it is.
 */
static __noinline int judge_cookie(const struct reader *r, const struct view *v, struct stand *s,
				   const struct packet *p, struct finding *f)
{
	struct answer a = {.rule = f->rule, .counter = f->counter};
	struct beginning b;

	if (f->reason != SP_REASON_NONE || !(f->flags >> SP_RULE_LIMIT_SHIFT))
		return 0;
	b = beginning_of(p, f);
	if (!bears_cookie(r, p, s)) {
		if (may_be_answered(&b))
			f->reason = SP_REASON_BAD_COOKIE;
		return 0;
	}
	f->cookie = SP_COOKIE_BORNE_AGAIN;
	if (!take_paid(v->slot, &b)) {
		f->reason = SP_REASON_OVER_LIMIT;
		b.proven = 1;
		if (may_begin(v->slot, &b) != SP_BEGIN_MAY)
			return 0;
		f->reason = SP_REASON_NONE;
		f->opened = 1;
		count(SP_COUNT_COOKIES_TAKEN);
	}
	/* Its next segments may be here before the stack has made the socket. */
	remember(v, s, SP_INGRESS, &a, SP_FLOW_CONFIRMED);
	return 0;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_LEARN_OFFER_H
#define SALLYPORT_LIB_LEARN_OFFER_H
/*
 * A SYN+ACK with a cookie of the stack's own, on its way out: the SYN was counted, so
 * its ACK is paid for; and it shows what the listener offers.
 */
#include "departure.h"
#include "offer.h"
#include "paid.h"

/* Of so old a time stamp there is no other reason than how it keeps the options, and a wait. */
#define SP_STAMP_AGE_MS 1000u

/* What it is learnt by; off the stack. */
struct lesson {
	struct sp_offer_key key;
	struct sp_offer now;
	struct tcp_options shown;
};

/* Has its time stamp no offset, and this machine's milliseconds? */
static __always_inline int is_plain_stamp(__u32 stamp)
{
	return (__u32)(bpf_ktime_get_ns() / 1000000ull) - stamp < SP_STAMP_AGE_MS;
}

/* What this one does not show, because the peer did not ask for it, stays as it was. */
static __always_inline void keep_offer(struct lesson *l)
{
	const struct sp_offer *old = bpf_map_lookup_elem(&sp_offers, &l->key);
	struct sp_offer *now = &l->now;

	now->mss = l->shown.mss;
	now->scale = l->shown.scale;
	now->marks = l->shown.marks;
	if (now->marks & SP_TCP_HAS_STAMP && !is_plain_stamp(l->shown.stamp))
		now->marks = 0;
	else if (old && is_same_listener(old, now))
		now->marks |= old->marks;
	if (old && is_same_listener(old, now)) {
		if (!now->scale)
			now->scale = old->scale;
		if (now->mss == old->mss && now->scale == old->scale && now->marks == old->marks)
			return;
	}
	bpf_map_update_elem(&sp_offers, &l->key, now, BPF_ANY);
}

static __noinline int learn_offer(const struct reader *r, const struct stand *s, __u32 at,
				  struct lesson *l)
{
	struct bpf_sock *listener;
	__u32 len, found = 0;

	__builtin_memset(l, 0, sizeof(*l));
	if (read_bytes(r, at, l->shown.header, SP_TCP_BYTES))
		return 0;
	len = (l->shown.header[12] >> 4) * 4u;
	barrier_var(len);
	if (len < SP_TCP_BYTES || read_bytes(r, at, l->shown.header, len))
		return 0;
	read_options(&l->shown);
	listener = tcp_socket(r->ctx, &s->key, 0);
	if (!listener)
		return 0;
	if (listener->state == SP_STATE_LISTEN) {
		read_listener(listener, &l->now);
		found = 1;
	}
	bpf_sk_release(listener);
	if (!found || !l->shown.mss)
		return 0;
	l->key.local = s->key.local;
	l->key.port = s->key.local_port;
	l->key.ifindex = r->ctx->ifindex;
	keep_offer(l);
	return 0;
}

/*
 * The kernel's own, and with a cookie: another answer is of its request, and what a process
 * sends of a socket that has a type. None has that of BPF_PROG_TEST_RUN.
 */
static __always_inline int is_of_nobody(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	if (!sk)
		return 1;
	sk = bpf_sk_fullsock(sk);
	return sk && sk->type == 0;
}

/* 1: a rule with a limit let its SYN in, which is paid for now. */
static __noinline int note_answer(const struct view *v, const struct stand *s,
				  const struct finding *f)
{
	struct beginning b = {
	    .src = s->key.remote,
	    .limit = f->flags >> SP_RULE_LIMIT_SHIFT,
	    .counter = f->counter,
	};

	if (f->reason != SP_REASON_NONE || !b.limit || !is_own(&s->key.local) || asking())
		return 0;
	note_paid(v->slot, &b);
	return 1;
}

#endif

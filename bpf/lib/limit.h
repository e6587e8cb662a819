/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_LIMIT_H
#define SALLYPORT_LIB_LIMIT_H
/* May a source open one more connection under its rule's limit? */
#include "limit_ask.h"
#include "limit_conversation.h"
#include "limit_take.h"

/* While XDP answers: is this SYN one more than all sources may send together? */
static __always_inline int goes_on_answering(struct sp_limit_state *state,
					     const struct sp_limit *limit, __u64 now)
{
	const struct sp_rate *all = limit->total.interval_ns ? &limit->total : &limit->fresh;

	return SP_BEGIN_PROVE | SP_BEGIN_UNASKED |
	       (take_shared(&state->asked, now, all) ? SP_BEGIN_CALM : 0);
}

static __always_inline int begin_under(const struct sp_limit *limit, struct sp_limit_state *state,
				       const struct beginning *b, __u64 now)
{
	int cookies = limit->cookies && b->proto == SP_PROTO_TCP && !b->proven && !b->plain;
	__u64 *total = b->proven ? &state->proven : &state->total;
	int taken;

	if (cookies && now < state->answers_until)
		return goes_on_answering(state, limit, now);
	/* What is asked first is not taken when a later one refuses. */
	if (limit->total.interval_ns && !gcra_has(total, now, &limit->total))
		return cookies ? SP_BEGIN_PROVE : SP_BEGIN_REFUSED;
	taken = take_source(limit, state, b, now);
	if (taken == SP_BEGIN_PROVE)
		return cookies ? SP_BEGIN_PROVE : SP_BEGIN_REFUSED;
	return taken == SP_BEGIN_MAY && take_group(limit, b, now) &&
	       take_shared(total, now, &limit->total);
}

/* SP_BEGIN_*. A limit that is not there lets nobody in. */
SP_GLOBAL int may_begin(__u32 slot, const struct beginning *b)
{
	struct sp_limit_state *state;
	const struct sp_limit *limit;
	__u64 now = sp_clock_ns(), idle;
	struct view v;
	int may;

	if (!b || view_of_slot(&v, slot))
		return SP_BEGIN_REFUSED;
	limit = limit_of(slot, b);
	state = limit_state_of(b);
	if (!limit || !state)
		return SP_BEGIN_REFUSED;
	if (!limit->number) /* connections are counted while they are open, not as they begin */
		return limit->connections ? SP_BEGIN_MAY : SP_BEGIN_REFUSED;
	if (asking())
		return would_begin(limit, state, b, now) ? SP_BEGIN_MAY : SP_BEGIN_REFUSED;
	idle = v.policy->udp_idle_s * 1000000000ull;
	if (b->proto != SP_PROTO_TCP && goes_on(b, now, idle))
		return SP_BEGIN_MAY;
	may = begin_under(limit, state, b, now);
	if (may == SP_BEGIN_MAY && b->proto != SP_PROTO_TCP)
		let_go_on(b, now, idle);
	return may;
}

/*
 * A SYN that was more than all sources may send together has been answered: from now on
 * each proves its address by a cookie, and what it then opens is what counts. Else a
 * flood of forged ones would use up what is there for all.
 */
static __always_inline void go_on_answering(__u32 counter)
{
	struct sp_limit_state *state = bpf_map_lookup_elem(&sp_limit_states, &counter);

	if (state)
		state->answers_until = sp_clock_ns() + SP_COOKIES_LINGER_NS;
}

/* May its ACK bear a cookie that XDP gave? 0 also for what only the stack can have answered. */
static __always_inline int may_be_answered(const struct beginning *b)
{
	const struct sp_limit_state *state = limit_state_of(b);

	return state && state->answers_until &&
	       sp_clock_ns() < state->answers_until + SP_COOKIE_LIFE_NS;
}

#endif

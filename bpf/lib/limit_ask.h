/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_LIMIT_ASK_H
#define SALLYPORT_LIB_LIMIT_ASK_H
/* What a limit would say. Nothing is taken: for the instance that is only asked. */
#include "limit_key.h"

static __always_inline int has_room(const struct sp_window *w, const struct sp_limit *limit,
				    __u64 now)
{
	struct sp_window copy = *w;

	move_window(&copy, part_of_window(limit, now));
	return sum_of_window(&copy) < limit->number;
}

/* -1: the key is not there. */
static __always_inline int would_take(const struct sp_bucket_key *key, const struct sp_rate *rate,
				      const struct sp_limit *limit, __u64 now)
{
	struct sp_bucket_set *set = bucket_set_of(key);
	__u64 mask;
	__u32 i;

	if (!set)
		return 0;
	mask = bearing(set, key);
	i = first_of(mask);
	if (!mask)
		return -1;
	if (key->owner & SP_BUCKET_WINDOW)
		return has_room(&set->windows[i], limit, now);
	return gcra_has(&set->due[i], now, rate);
}

static __always_inline int would_go_on(const struct beginning *b, __u64 now)
{
	struct sp_bucket_key key = {};
	struct sp_bucket_set *set;
	__u64 mask, due;

	conversation_of(&key, b);
	set = bucket_set_of(&key);
	if (!set)
		return 0;
	mask = bearing(set, &key);
	due = *(volatile __u64 *)&set->due[first_of(mask)];
	return mask && due > now && due != SP_TIME_BUSY;
}

SP_GLOBAL int would_begin(const struct sp_limit *limit, const struct sp_limit_state *state,
			  const struct beginning *b, __u64 now)
{
	struct sp_bucket_key key = {};
	int source;

	if (!limit || !state || !b)
		return 0;
	if (b->proto != SP_PROTO_TCP && would_go_on(b, now))
		return 1;
	if (limit->total.interval_ns && !gcra_has(&state->total, now, &limit->total))
		return 0;
	limited_source_of(&key, limit, b);
	source = would_take(&key, &limit->source, limit, now);
	if (source < 0)
		source = !limit->fresh.interval_ns || gcra_has(&state->fresh, now, &limit->fresh);
	if (!source)
		return 0;
	if (!has_group(limit, b))
		return 1;
	group_of(&key, b);
	return would_take(&key, &limit->group, limit, now) != 0;
}

#endif

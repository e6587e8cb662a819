/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_LIMIT_TAKE_H
#define SALLYPORT_LIB_LIMIT_TAKE_H
/*
 * What one more connection takes: of its source, of its /48, of what all share. A
 * source that is not remembered is let in on an allowance that all of them share: so
 * being forgotten is no way to a full bucket, and a million forged sources get no
 * more than it.
 */
#include "limit_key.h"

/*
 * Global functions, here and below: the verifier looks at each once, and not for
 * each way that leads to it. A pointer that is not there lets nobody in.
 */

/* One arrival at a time that all share. A rate without an interval bounds nothing. */
SP_GLOBAL int take_shared(__u64 *time, __u64 now, const struct sp_rate *rate)
{
	return time && rate && (rate->interval_ns == 0 || gcra_take(time, now, rate));
}

/* A key that was not there: let in on the shared allowance, remembered where there is room. */
static __always_inline int take_fresh(struct sp_limit_state *state, const struct sp_limit *limit,
				      __u64 now)
{
	return take_shared(&state->fresh, now, &limit->fresh);
}

static __always_inline int take_window(struct sp_bucket_set *set, const struct sp_bucket_key *key,
				       const struct sp_limit *limit, struct sp_limit_state *state,
				       __u32 proven, __u64 now)
{
	if (!bearing(set, key) && !proven && !take_fresh(state, limit, now))
		return SP_BEGIN_PROVE;
	return count_in_window(set, key, now, limit) != BUCKET_REFUSED;
}

static __always_inline int take_bucket(struct sp_bucket_set *set, const struct sp_bucket_key *key,
				       const struct sp_rate *rate, const struct sp_limit *limit,
				       struct sp_limit_state *state, __u32 proven, __u64 now)
{
	enum bucket_answer answer = take_known(set, key, now, rate);

	if (answer != BUCKET_ABSENT)
		return answer == BUCKET_TAKEN;
	if (!proven && !take_fresh(state, limit, now))
		return SP_BEGIN_PROVE;
	return enter_bucket(set, key, now, rate) != BUCKET_REFUSED;
}

/* The source itself. */
SP_GLOBAL int take_source(const struct sp_limit *limit, struct sp_limit_state *state,
			  const struct beginning *b, __u64 now)
{
	struct sp_bucket_key key = {};
	struct sp_bucket_set *set;

	if (!limit || !state || !b)
		return 0;
	limited_source_of(&key, limit, b);
	set = bucket_set_of(&key);
	if (!set)
		return 0;
	if (limit->window_ns)
		return take_window(set, &key, limit, state, b->proven, now);
	return take_bucket(set, &key, &limit->source, limit, state, b->proven, now);
}

/* All of its /48. What is not remembered was let in as a source that is not. */
SP_GLOBAL int take_group(const struct sp_limit *limit, const struct beginning *b, __u64 now)
{
	struct sp_bucket_key key = {};
	struct sp_bucket_set *set;
	enum bucket_answer answer;

	if (!limit || !b)
		return 0;
	if (!has_group(limit, b))
		return 1;
	group_of(&key, b);
	set = bucket_set_of(&key);
	if (!set)
		return 0;
	answer = take_known(set, &key, now, &limit->group);
	if (answer == BUCKET_ABSENT)
		answer = enter_bucket(set, &key, now, &limit->group);
	return answer != BUCKET_REFUSED;
}

#endif

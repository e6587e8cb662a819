/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_BUCKET_H
#define SALLYPORT_LIB_BUCKET_H
/*
 * Whose next arrival is due when: sets of eight with full keys, one set for a key. A
 * key that is there is served without a lock. Under the set's lock a key is entered,
 * in place of the one that has been due for longest: that one is owed nothing, and what
 * it would have had as a newcomer the shared allowance decides. None that still waits is
 * ever evicted. Compiled natively too, by tests that race it.
 */
#include "bucket_set.h"

enum bucket_answer {
	BUCKET_REFUSED = 0,
	BUCKET_TAKEN = 1,
	BUCKET_ABSENT = 2, /* the key is not there */
	BUCKET_FULL = 3,   /* nor is there room for it */
};

/* One arrival of a key that is there. */
static __always_inline enum bucket_answer take_known(struct sp_bucket_set *set,
						     const struct sp_bucket_key *key, __u64 now,
						     const struct sp_rate *rate)
{
	__u64 mask = bearing(set, key), due, next;
	__u32 i = first_of(mask);

	if (!mask)
		return BUCKET_ABSENT;
	for (int tries = 0; tries < SP_GCRA_TRIES; tries++) {
		due = *(volatile __u64 *)&set->due[i];
		/* In this order: when the entry goes to another key, its time changes first. */
		if (due == SP_TIME_BUSY || !bears(&set->keys[i], key))
			return BUCKET_ABSENT;
		next = gcra_next(due, now, rate);
		if (!next)
			return BUCKET_REFUSED;
		if (__sync_val_compare_and_swap(&set->due[i], due, next) == due)
			return BUCKET_TAKEN;
	}
	return BUCKET_REFUSED;
}

/* Under the lock: an entry for the key, its time SP_TIME_BUSY; or SP_BUCKET_WAYS, none is idle. */
static __always_inline __u32 claim(struct sp_bucket_set *set, const struct sp_bucket_key *key,
				   __u64 now)
{
	__u64 idle = longest_idle(set, now), due;
	__u32 i = (__u32)idle & (SP_BUCKET_WAYS - 1);

	if (!idle)
		return SP_BUCKET_WAYS;
	due = *(volatile __u64 *)&set->due[i];
	/* Its own key may have come back in this moment. */
	if ((due > now) | (due == SP_TIME_BUSY) ||
	    __sync_val_compare_and_swap(&set->due[i], due, SP_TIME_BUSY) != due)
		return SP_BUCKET_WAYS;
	set->keys[i] = *key;
	return i;
}

static __always_inline enum bucket_answer enter_locked_bucket(struct sp_bucket_set *set,
							      const struct sp_bucket_key *key,
							      __u64 now, const struct sp_rate *rate)
{
	__u64 mask = bearing(set, key);
	__u32 i = first_of(mask);

	if (mask) /* somebody else was faster */
		return gcra_take(&set->due[i], now, rate) ? BUCKET_TAKEN : BUCKET_REFUSED;
	i = claim(set, key, now);
	if (i >= SP_BUCKET_WAYS)
		return BUCKET_FULL;
	/* Ordered behind the key. */
	__sync_lock_test_and_set(&set->due[i], now + rate->interval_ns);
	return BUCKET_TAKEN;
}

/* The first arrival of a key that is not there. */
static __always_inline enum bucket_answer enter_bucket(struct sp_bucket_set *set,
						       const struct sp_bucket_key *key, __u64 now,
						       const struct sp_rate *rate)
{
	enum bucket_answer answer;

	lock_set(set);
	answer = enter_locked_bucket(set, key, now, rate);
	unlock_set(set);
	return answer;
}

#endif

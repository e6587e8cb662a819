/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_WINDOW_H
#define SALLYPORT_LIB_WINDOW_H
/*
 * limit-window: never more than a number in any window of that length. Arrivals are
 * counted by fifteenths of the window; the last sixteen hold every window that ends
 * now, so their sum is never less than what it has. What is paid for the fixed
 * memory is that a place comes free up to a fifteenth late.
 */
#include "bucket.h"

static __always_inline __u32 part_of_window(const struct sp_limit *limit, __u64 now)
{
	return limit->part_ns ? (__u32)(now / limit->part_ns) : 0;
}

/* Forgets what is older than the window; returns the part that it is now. */
static __always_inline __u32 move_window(struct sp_window *w, __u32 part)
{
	__u32 gone = part - w->at;

	if (gone >> 31) /* a CPU whose clock is a tick behind */
		return w->at;
	for (__u32 k = 1; k <= SP_WINDOW_COUNTS; k++) {
		__u32 slot = (w->at + k) & (SP_WINDOW_COUNTS - 1);
		__u64 stays = ((__u64)gone - k) >> 63;

		barrier_var(stays);
		w->counts[slot] &= (__u16)(0 - stays);
	}
	w->at = part;
	return part;
}

static __always_inline __u32 sum_of_window(const struct sp_window *w)
{
	__u32 sum = 0;

	for (int i = 0; i < (int)SP_WINDOW_COUNTS; i++)
		sum += w->counts[i];
	return sum;
}

static __always_inline enum bucket_answer count_locked(struct sp_bucket_set *set,
						       const struct sp_bucket_key *key, __u64 now,
						       const struct sp_limit *limit, __u32 part)
{
	__u64 mask = bearing(set, key);
	__u32 i = first_of(mask);
	struct sp_window *w;

	if (!mask) {
		i = claim(set, key, now);
		if (i >= SP_BUCKET_WAYS)
			return BUCKET_FULL;
		__builtin_memset(&set->windows[i], 0, sizeof(set->windows[i]));
		set->windows[i].at = part;
	}
	w = &set->windows[i & (SP_BUCKET_WAYS - 1)];
	part = move_window(w, part);
	if (sum_of_window(w) >= limit->number)
		return BUCKET_REFUSED;
	w->counts[part & (SP_WINDOW_COUNTS - 1)]++;
	/* Until all of it is forgotten, the entry is not given away. */
	__sync_lock_test_and_set(&set->due[i & (SP_BUCKET_WAYS - 1)],
				 now + SP_WINDOW_COUNTS * limit->part_ns);
	return BUCKET_TAKEN;
}

/* One arrival, of a key that may not be there. */
static __always_inline enum bucket_answer count_in_window(struct sp_bucket_set *set,
							  const struct sp_bucket_key *key,
							  __u64 now, const struct sp_limit *limit)
{
	enum bucket_answer answer;
	__u32 part = part_of_window(limit, now);

	lock_set(set);
	answer = count_locked(set, key, now, limit, part);
	unlock_set(set);
	return answer;
}

#endif

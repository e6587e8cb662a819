/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_GCRA_H
#define SALLYPORT_LIB_GCRA_H
/*
 * The generic cell rate algorithm (ITU-T I.371, virtual scheduling) on one 64-bit
 * time, moved by compare-and-exchange: exact however many CPUs ask at once, since
 * each admission is one step from a value that nobody has changed since.
 */
#include "base.h"

/* Tries of one packet against others that move the same time. Then it is refused. */
#define SP_GCRA_TRIES 16

/* This time is being given to another key. */
#define SP_TIME_BUSY (~0ull)

/* A packet may be held up so long between reading the clock and reading the time. */
#define SP_GCRA_SLACK_NS 1000000000ull

/*
 * When the next is due after one at `now`; 0: not now. Never SP_TIME_BUSY. A time that
 * this rate cannot have set is of another policy's, and nobody waits for it.
 */
static __always_inline __u64 gcra_next(__u64 due, __u64 now, const struct sp_rate *rate)
{
	__u64 wait = due - now;

	if (due <= now || wait > rate->ahead_ns + rate->interval_ns + SP_GCRA_SLACK_NS)
		return now + rate->interval_ns;
	return wait > rate->ahead_ns ? 0 : due + rate->interval_ns;
}

/* One arrival; 1 when it is let in. For times that belong to one key for ever. */
static __always_inline int gcra_take(__u64 *time, __u64 now, const struct sp_rate *rate)
{
	for (int i = 0; i < SP_GCRA_TRIES; i++) {
		__u64 due = *(volatile __u64 *)time;
		__u64 next = gcra_next(due, now, rate);

		if (!next)
			return 0;
		if (__sync_val_compare_and_swap(time, due, next) == due)
			return 1;
	}
	return 0;
}

/* Would it be let in? */
static __always_inline int gcra_has(const __u64 *time, __u64 now, const struct sp_rate *rate)
{
	return gcra_next(*(const volatile __u64 *)time, now, rate) != 0;
}

#endif

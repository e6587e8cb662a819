/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_PAID_WORD_H
#define SALLYPORT_LIB_PAID_WORD_H
/*
 * How many connections of one source are paid for and not yet there, in one word that
 * is moved by compare-and-exchange:
 *
 *   bits 63..40  whose it is, a part of the hash of his key
 *   bits 39..24  the part of time of the last one
 *   bits 23..12  how many in the part before
 *   bits 11..0   how many in this one
 *
 * What two parts have gone by over is nobody's. Compiled natively too.
 */
#include "bucket_set.h"

/* A handshake takes no longer; what is later pays again. */
#define SP_PAID_PART_NS 8000000000ull
#define SP_PAID_MOST 4095u

static __always_inline __u64 paid_owner(__u64 word)
{
	return word >> 40;
}

/* What the word is in this part of time: its counts moved on, or none. */
static __always_inline __u64 paid_at(__u64 word, __u64 now)
{
	__u64 part = now / SP_PAID_PART_NS & 0xffff, age = (part - (word >> 24)) & 0xffff;
	__u64 counts = (word & 0xffffff) * is_zero(age) | ((word & 0xfff) << 12) * is_zero(age ^ 1);

	return paid_owner(word) << 40 | part << 24 | counts;
}

/* One more of `owner`. The same word: there is no room, the place is somebody else's. */
static __always_inline __u64 paid_more(__u64 word, __u64 owner, __u64 now)
{
	__u64 w = paid_at(word, now);

	if (paid_owner(w) != owner) {
		if (w & 0xffffff)
			return word;
		w = owner << 40 | (w & 0xffff000000ull);
	}
	return (w & 0xfff) == SP_PAID_MOST ? word : w + 1;
}

/* One less, the oldest first. The same word: none is paid for. */
static __always_inline __u64 paid_less(__u64 word, __u64 owner, __u64 now)
{
	__u64 w = paid_at(word, now);

	if (paid_owner(w) != owner || !(w & 0xffffff))
		return word;
	return w - (w & 0xfff000 ? 0x1000 : 1);
}

/* Eight words share a set, by the rest of the hash. */
#define SP_PAID_WAYS 8

struct sp_paid_set {
	__u64 words[SP_PAID_WAYS];
};

/* The place of `owner`: his own, else one where nothing is waited for; SP_PAID_WAYS: none. */
static __always_inline __u32 paid_place(const struct sp_paid_set *set, __u64 owner, __u64 now)
{
	__u64 own = 0, idle = 0;

	for (int i = 0; i < SP_PAID_WAYS; i++) {
		__u64 word = *(const volatile __u64 *)&set->words[i];

		own |= is_zero(paid_owner(word) ^ owner) << i;
		idle |= is_zero(paid_at(word, now) & 0xffffff) << i;
	}
	return own | idle ? first_of(own ? own : idle) : SP_PAID_WAYS;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SALLYPORT_ABI_LIMIT_H
#define SALLYPORT_ABI_LIMIT_H
/*
 * Limits of new connections. GCRA (ITU-T I.371): of each key one time is kept, when its
 * next arrival is due; one that comes no more than `ahead_ns` before that is let in
 * and moves it on by `interval_ns`. All times are nanoseconds of CLOCK_MONOTONIC.
 */
#include "base.h"

/* So often, and so far ahead. interval_ns 0: without limit. */
struct sp_rate {
	__u64 interval_ns;
	__u64 ahead_ns; /* (burst - 1) * interval_ns */
};
SP_ASSERT_SIZE(struct sp_rate, 16);

/* Of one rule. Value of sp_limits, at the number that is in the upper half of sp_rule.flags,
 * less 1.
 */
struct sp_limit {
	struct sp_rate source; /* each source; of a window only its number counts */
	struct sp_rate group;  /* of IPv6 sources, all of one SP_LIMIT_GROUP6 */
	struct sp_rate total;
	struct sp_rate fresh; /* all sources that are not remembered, together */
	__u64 window_ns;      /* not 0: never more than `number` in so long, instead of `source` */
	__u64 part_ns;	      /* of a window; SP_WINDOW_PARTS of them are no less than it */
	__u32 number;	      /* 0: any rate */
	__u32 connections;    /* at once of each source; 0: any number */
	__u8 prefix4;	      /* what of an address is a source, 0..32 */
	__u8 prefix6;	      /* 0..128 */
	__u8 cookies; /* 1: who cannot be let in on what all share proves his address first */
	__u8 spare[5];
};
SP_ASSERT_SIZE(struct sp_limit, 96);

/* Where the number of a rule's limit, plus 1, stands in sp_rule.flags; 0: it has none. */
#define SP_RULE_LIMIT_SHIFT 16u

/* A /48 is what one customer is given (RFC 6177): it holds 65536 sources of /64. */
#define SP_LIMIT_GROUP6 48u

/* Whose time it is. Zero: nobody's. */
struct sp_bucket_key {
	struct sp_addr addr; /* cut to its prefix */
	__u32 owner;	     /* sp_rule.counter, with SP_BUCKET_* */
	__u16 src_port;	     /* of a conversation; with SP_BUCKET_WINDOW its seconds; else 0 */
	__u16 dst_port;
};
SP_ASSERT_SIZE(struct sp_bucket_key, 24);

/* sp_bucket_key.owner: what the key is of, beside a rule. Counters are below these bits. */
#define SP_BUCKET_SOURCE 0x10000000u
#define SP_BUCKET_GROUP 0x20000000u
#define SP_BUCKET_WINDOW 0x80000000u	   /* beside SOURCE: counted in a window */
#define SP_BUCKET_CONVERSATION 0x40000000u /* datagrams between the same ports, let in once */

#define SP_BUCKET_WAYS 8
#define SP_BUCKET_SETS 8192u
/* Parts of a window: how finely it moves on. */
#define SP_WINDOW_PARTS 15u
#define SP_WINDOW_COUNTS 16u /* a power of two: with the part that has begun */

/* How many were let in, by parts of the window, the part of `at` the last. */
struct sp_window {
	__u32 at;
	__u16 counts[SP_WINDOW_COUNTS];
};
SP_ASSERT_SIZE(struct sp_window, 36);

/* What a rule's sources have in common. By sp_rule.counter. */
struct sp_limit_state {
	__u64 total;
	__u64 proven; /* the same of those whose cookie came back: forged SYNs take none of it */
	__u64 fresh;
	__u64 asked;	     /* while XDP answers: the next SYN that is no flood's */
	__u64 answers_until; /* until then XDP answers SYNs itself; 0: it never has */
	__u64 counts;	     /* 1: its connections were counted once, so flows may be of such */
};
SP_ASSERT_SIZE(struct sp_limit_state, 48);

/* So long XDP goes on answering after the last SYN that came too fast. */
#define SP_COOKIES_LINGER_NS 10000000000ull
/* The kernel takes a SYN cookie of the last two minutes (MAX_SYNCOOKIE_AGE, tcp_cookie_time). */
#define SP_COOKIE_LIFE_NS 128000000000ull

#endif

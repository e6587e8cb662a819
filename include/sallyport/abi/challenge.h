/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SALLYPORT_ABI_CHALLENGE_H
#define SALLYPORT_ABI_CHALLENGE_H
/* For automatic bans: who is asked to prove that he sent what was refused, and who did. */
#include "base.h"

/* Places by a hash of the source; those that share one share its turns. */
#define SP_CHALLENGES 4096u
/* An answer counts so long. No other is asked for meanwhile, unless the right one came. */
#define SP_CHALLENGE_LIFE_NS 1000000000ull
/* Probes of a place that are let go by unasked, in any span of so many seconds. */
#define SP_PROBES_UNASKED 3u
#define SP_PROBES_SPAN_S 600u

/* sp_challenge.owner of what no rule lets in; of a limit's refusal it is sp_rule.counter + 1. */
#define SP_CHALLENGE_PROBE 0u

/* Value of sp_challenges. All zero: nobody is asked. */
struct sp_challenge {
	__u64 asked; /* CLOCK_MONOTONIC of the last question; its lowest bit: it was tried to answer
		      */
	__u32 owner;
	__u32 seen; /* probes since `since_s` */
	__u32 since_s;
	__u32 spare;
};
SP_ASSERT_SIZE(struct sp_challenge, 24);

/* The record in the ring buffer sp_proofs: this source did send what was refused. */
struct sp_proof {
	__u64 at_ns; /* CLOCK_MONOTONIC */
	struct sp_addr src;
	struct sp_addr dst;
	__u32 owner; /* as in sp_challenge */
	__u16 src_port;
	__u16 dst_port;
};
SP_ASSERT_SIZE(struct sp_proof, 48);

#endif

/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SALLYPORT_ABI_ANSWER_H
#define SALLYPORT_ABI_ANSWER_H
/* What resolvers answered, for the names of addresses. */
#include "base.h"

/* Of a message: the question and some fifteen addresses; what lies behind is left out. */
#define SP_ANSWER_BYTES 512u
/* Copied in a second, per CPU; what is over it is counted. */
#define SP_ANSWERS_PER_SECOND 256u

/* The record in the ring buffer sp_answers. */
struct sp_answer {
	__u64 at_ns; /* CLOCK_MONOTONIC */
	__u32 len;   /* of `bytes`, those that are the message's; the rest is anything */
	__u32 whole; /* bytes of the message, `len` or more */
	__u8 bytes[SP_ANSWER_BYTES]; /* as on the wire, from the DNS header on */
};
SP_ASSERT_SIZE(struct sp_answer, 16 + SP_ANSWER_BYTES);

#endif

/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SALLYPORT_ABI_QUESTION_H
#define SALLYPORT_ABI_QUESTION_H
/*
 * What the instance that is only asked is told beside the packet, and what it answers.
 * Both are variables of that instance alone (.bss): no map of the wall holds them.
 */
#include "base.h"

/* What BPF_PROG_TEST_RUN cannot put on. */
struct sp_question {
	__u64 cgroup; /* of the socket that sends; 0: none of the policy's */
	__u64 netns;  /* cookie of its network namespace; 0: the host's */
	__u32 uid;    /* of its owner, as the initial user namespace has it */
	__u32 socket; /* 1: a process's socket sends; 0: the kernel does */
	__u32 in;     /* netfilter: by which interface it came, */
	__u32 out;    /* and by which it goes; 0: none */
};
SP_ASSERT_SIZE(struct sp_question, 32);

/* The way out of the program (bpf/lib/settle.h). All zero: it did not come that far. */
struct sp_told {
	__u32 settled; /* 1: a verdict was found */
	__u32 pass;    /* 1: the packet goes on; also what observing lets go on */
	__u32 reason;  /* enum sp_reason */
	__u32 direction;
	__u32 rule; /* rule + 1; 0: none was asked or none matched */
	__u32 hook; /* enum sp_hook */
	__u32 generation;
	__u32 opened; /* 1: an opening that the rule let in */
};
SP_ASSERT_SIZE(struct sp_told, 32);

#endif

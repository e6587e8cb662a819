/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SALLYPORT_ABI_COUNTS_H
#define SALLYPORT_ABI_COUNTS_H
/* What is counted. */
#include "base.h"
#include "reason.h"

struct sp_nic_count {
	__u64 admitted;
	__u64 dropped;
	__u64 admitted_bytes;
	__u64 dropped_bytes;
};
SP_ASSERT_SIZE(struct sp_nic_count, 32);

struct sp_rule_count {
	__u64 admitted; /* openings the rule let in */
	__u64 limited;	/* openings that its limit or max-connections refused */
	__u64 bytes;	/* of all packets of flows it let in, both ways */
	__u64 denied;	/* openings a deny rule refused */
};
SP_ASSERT_SIZE(struct sp_rule_count, 32);

/* Places in sp_counts, a per-CPU array of __u64. */
#define SP_COUNT_DROPS 0u		   /* + reason */
#define SP_COUNT_WOULD_DROPS SP_REASON_MAX /* + reason; observe mode */
#define SP_COUNT_EVENTS_SENT 128u
#define SP_COUNT_EVENTS_LOST 129u /* the ring was full */
#define SP_COUNT_EVENTS_HELD 130u /* over the per-second credit */
#define SP_COUNT_FLOWS_REFUSED 131u
#define SP_COUNT_COOKIES_SENT 132u  /* SYNs that XDP answered itself */
#define SP_COUNT_COOKIES_TAKEN 133u /* ACKs whose cookie was one of those */
#define SP_COUNT_CAPTURES_LOST 134u /* the ring of captures was full */
#define SP_COUNT_HOOK_ADMITTED 136u /* + enum sp_hook */
#define SP_COUNT_HOOK_DROPPED 144u  /* + enum sp_hook */
#define SP_COUNT_CHALLENGED 152u    /* refused SYNs whose source was asked to prove itself */
#define SP_COUNT_PROOFS_LOST 153u   /* the ring of proofs was full */
#define SP_COUNT_ANSWERS_SENT 154u  /* DNS answers copied for their names */
#define SP_COUNT_ANSWERS_LOST 155u  /* over a second's credit, or the ring was full */
#define SP_COUNTS 160u

#endif

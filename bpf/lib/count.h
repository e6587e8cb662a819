/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_COUNT_H
#define SALLYPORT_LIB_COUNT_H
/* Counting, which only who judges does: who merely asks leaves no trace. */
#include "maps.h"

static __always_inline void count(__u32 place)
{
	__u64 *n;

	if (asking())
		return;
	n = bpf_map_lookup_elem(&sp_counts, &place);
	if (n)
		*n += 1;
}

static __always_inline void count_rule(__u32 counter, __u32 openings, __u32 bytes)
{
	struct sp_rule_count *c;

	if (asking())
		return;
	c = bpf_map_lookup_elem(&sp_rule_counts, &counter);
	if (!c)
		return;
	c->admitted += openings;
	c->bytes += bytes;
}

static __always_inline void count_refused(__u32 counter, enum sp_reason reason)
{
	struct sp_rule_count *c;

	if (asking())
		return;
	c = bpf_map_lookup_elem(&sp_rule_counts, &counter);
	if (!c)
		return;
	c->denied += reason == SP_REASON_DENIED;
	c->limited += reason != SP_REASON_DENIED;
}

#endif

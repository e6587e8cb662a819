/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_FLOW_SWEEP_H
#define SALLYPORT_LIB_FLOW_SWEEP_H
/* Freeing what has expired. */
#include "flow_set.h"

/* Frees what has expired in one set. */
SP_GLOBAL int sweep_set(__u32 index, __u32 now)
{
	struct sp_flow_set *set = bpf_map_lookup_elem(&sp_flows, &index);
	__u32 zero = 0;
	__u64 *count = bpf_map_lookup_elem(&sp_flow_count, &zero);
	__u64 freed = 0;

	if (!set || !count || *(volatile __u64 *)&set->tags == 0)
		return 0;
	bpf_spin_lock(&set->lock);
	for (int i = 0; i < SP_FLOW_WAYS; i++) {
		struct sp_flow *f = &set->flows[i];
		__u64 dead = is_over(f, now) & ~is_free(f) & 1;

		f->idle_s &= (__u32)(dead - 1);
		set->tags &= ~((0xffull * dead) << (8 * i));
		freed += dead;
	}
	bpf_spin_unlock(&set->lock);
	if (freed)
		__sync_fetch_and_sub(count, freed);
	return (int)freed;
}

#endif

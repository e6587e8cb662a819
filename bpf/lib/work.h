/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_WORK_H
#define SALLYPORT_LIB_WORK_H
/*
 * What a program works on, off the stack: 6.1 allows 512 bytes over a whole chain
 * of calls. One for each CPU and program. That is safe where a program cannot be
 * interrupted by itself: XDP and TC run with softirqs off, a netfilter hook does
 * not. cgroup_skb can be preempted by its like and keeps to the stack.
 */
#include "maps.h"

#define SP_WORK_BYTES 512

enum sp_work_of { SP_WORK_XDP = 0, SP_WORK_TC = 1, SP_WORK_FORWARD = 2, SP_WORKS = 3 };

struct sp_work_area {
	__u64 words[SP_WORK_BYTES / 8];
};

#define SP_FITS_WORK(type) _Static_assert(sizeof(type) <= SP_WORK_BYTES, #type)

/* By enum sp_work_of. Each program casts its element; never pinned, never read by others. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SP_WORKS);
	__type(key, __u32);
	__type(value, struct sp_work_area);
} sp_work __weak SEC(".maps");

/* Null only when `which` is none; what was in it is stale. */
static __always_inline void *work_area(__u32 which)
{
	return bpf_map_lookup_elem(&sp_work, &which);
}

#endif

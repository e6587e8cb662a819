/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SALLYPORT_ABI_CONTROL_H
#define SALLYPORT_ABI_CONTROL_H
#include "types.h"
/*
 * The control word, the only thing that chooses a policy: one naturally
 * aligned 64-bit store moves every hook at once.
 *
 *   bits 63..16  deadline, CLOCK_BOOTTIME in ms; 0: no trial runs
 *   bits 15..8   fallback slot, used past the deadline
 *   bits  7..0   active slot; 0, as in a fresh map, denies everything
 */
struct sp_control {
	__u64 word;
};
SP_ASSERT_SIZE(struct sp_control, 8);

static inline __attribute__((always_inline)) __u32 sp_control_active(__u64 word)
{
	return (__u32)(word & 0xff);
}

static inline __attribute__((always_inline)) __u32 sp_control_fallback(__u64 word)
{
	return (__u32)(word >> 8 & 0xff);
}

static inline __attribute__((always_inline)) __u64 sp_control_deadline_ms(__u64 word)
{
	return word >> 16;
}

static inline __attribute__((always_inline)) __u64 sp_control_word(__u32 active, __u32 fallback,
								   __u64 deadline_ms)
{
	return deadline_ms << 16 | (__u64)(fallback & 0xff) << 8 | (active & 0xff);
}

/*
 * Read-only settings of a loaded object (`sp_settings` in its .rodata). The
 * secret and the sizes are kept in the pinned map sp_meta too, so that a new
 * daemon loads an object that fits the maps it finds.
 */
struct sp_settings {
	__u64 secret[2];    /* keys the flow table's hash; random per installation of the pins */
	__u64 host_cgroup;  /* id of [host] cgroup */
	__u64 host_netns;   /* cookie of the namespace whose NICs are guarded; 0: unknown */
	__u32 host_level;   /* depth of host_cgroup, 0 for the root */
	__u32 flow_sets;    /* sets in sp_flows; 0: every flow is refused */
	__u32 flow_max;	    /* entries at most */
	__u32 ask_slot;	    /* not 0: judge by this slot and change nothing */
	__u32 forget_flows; /* not 0 (when asking): know no flow and no socket */
	__u32 forward_hook; /* enum sp_forward_hook: who judges what is routed */
};
SP_ASSERT_SIZE(struct sp_settings, 56);

/*
 * What a guarded NIC receives for others XDP judges always. For the rest: before
 * the hooks are there, and where none is, TC egress of the guarded NIC judges.
 */
enum sp_forward_hook {
	SP_FORWARD_AT_NIC = 0,
	SP_FORWARD_NETFILTER = 1,  /* links at NF_INET_FORWARD (6.4) */
	SP_FORWARD_TC_INGRESS = 2, /* TC ingress of the interfaces that are not guarded */
};

#endif

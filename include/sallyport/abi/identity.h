/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SALLYPORT_ABI_IDENTITY_H
#define SALLYPORT_ABI_IDENTITY_H
/* Who sends. */
#include "base.h"

/*
 * cgroup selectors are an automaton over the names of a cgroup's path. State 0
 * is the hierarchy's root; a cgroup's state is its parent's with its own name
 * applied. A name the policy does not know takes the state's other transition;
 * names that end in ".slice" have one of their own, because a systemd unit is
 * only believed under slices (a user can make a cgroup of any name below his
 * own service, but no slice under the root).
 */
struct sp_cg_step {
	__u32 state;
	char name[SP_CG_NAME]; /* zero-filled to the end */
};
SP_ASSERT_SIZE(struct sp_cg_step, 128);

/* sp_cg_state.flags */
#define SP_CG_PACKET_USER 1u /* of packet-socket-users */

struct sp_cg_state {
	__u32 other;
	__u32 other_slice;
	__u32 cgroup_class; /* 0: no selector holds, and as such an unknown cgroup counts */
	__u32 flags;	    /* SP_CG_* */
};
SP_ASSERT_SIZE(struct sp_cg_state, 16);

/* Key of sp_cgroups, whose __u32 value is the state + 1. */
struct sp_cg_key {
	__u64 cgroup;
	__u32 slot;
	__u32 spare;
};
SP_ASSERT_SIZE(struct sp_cg_key, 16);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_MAPS_IDENTITY_H
#define SALLYPORT_LIB_MAPS_IDENTITY_H
/* Who sends: cgroups and users, as the policy tells them apart. */
#include "base.h"

/* By slot: the automaton over cgroup names. No step: the state's "other". */
struct sp_cg_steps_inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__uint(key_size, sizeof(struct sp_cg_step));
	__uint(value_size, sizeof(__u32));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SP_SLOTS);
	__type(key, __u32);
	__array(values, struct sp_cg_steps_inner);
} sp_cg_steps __weak SEC(".maps");

struct sp_cg_states_inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct sp_cg_state));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SP_SLOTS);
	__type(key, __u32);
	__array(values, struct sp_cg_states_inner);
} sp_cg_states __weak SEC(".maps");

/* By slot: uid to user class. A miss is class 0, "no user of the policy". */
struct sp_users_inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SP_SLOTS);
	__type(key, __u32);
	__array(values, struct sp_users_inner);
} sp_users __weak SEC(".maps");

/*
 * State + 1 of each cgroup in each filled slot. The loader walks the tree when
 * it fills a slot, sp_cg_mkdir adds what is made later. A miss (full, or the
 * race of both) is state "unknown": no identity.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536 * (SP_SLOTS - 1));
	__type(key, struct sp_cg_key);
	__type(value, __u32);
} sp_cgroups __weak SEC(".maps");

#endif

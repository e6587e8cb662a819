/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_MAPS_MEMORY_H
#define SALLYPORT_LIB_MAPS_MEMORY_H
/* What the programs remember of packets. */
#include "bucket_set.h"

/*
 * The flow table: sets of entries, two candidate sets by a secret hash. Tags
 * (0: free) are read without the lock to skip sets that cannot hold the key;
 * the full key, under the lock, decides. A full pair of sets refuses the flow.
 */
struct sp_flow_set {
	struct bpf_spin_lock lock;
	__u32 spare;
	__u64 tags; /* one byte an entry */
	struct sp_flow flows[SP_FLOW_WAYS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* sp_settings.flow_sets */
	__type(key, __u32);
	__type(value, struct sp_flow_set);
} sp_flows __weak SEC(".maps");

/* Entries in use, those not yet swept included. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} sp_flow_count __weak SEC(".maps");

/*
 * Datagrams of which an admitted first fragment was seen and pieces are still
 * to come: one candidate set each, by a secret hash. An entry is free when its
 * time is over or its last piece has come. A full set refuses the first.
 */
struct sp_fragment_set {
	struct bpf_spin_lock lock;
	__u32 spare;
	struct sp_fragment entries[SP_FRAGMENT_WAYS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SP_FRAGMENT_SETS);
	__type(key, __u32);
	__type(value, struct sp_fragment_set);
} sp_fragments __weak SEC(".maps");

/* Who made or last used a socket, and how it was judged. Dies with the socket. */
struct sp_owner {
	__u64 cgroup;
	__u64 netns;
	__u32 pid;
	__u32 uid;
	char comm[SP_COMM_LEN];
	struct sp_addr remote; /* of the last verdict to pass */
	__u32 generation;      /* of the policy that gave it; 0: none yet */
	__u32 counter;
	__u16 remote_port;
	__u16 rule;  /* rule + 1 */
	__u8 opened; /* enum sp_direction + 1; 0: not known yet */
	__u8 spare[3];
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE); /* accepted sockets inherit */
	__type(key, int);
	__type(value, struct sp_owner);
} sp_owners __weak SEC(".maps");

/*
 * Who asked which socket over an interface that is not guarded, in CLOCK_MONOTONIC
 * seconds. Only what such an interface admits writes here, so an LRU will do:
 * lost entries cost an answer, never let one out.
 */
struct sp_asked_key {
	struct sp_addr remote;
	__u64 cookie;
	__u16 remote_port;
	__u16 spare[3];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct sp_asked_key);
	__type(value, __u32);
} sp_asked __weak SEC(".maps");

/* Sources under a limit, their /48s and their conversations. A full set: see lib/limit.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SP_BUCKET_SETS);
	__type(key, __u32);
	__type(value, struct sp_bucket_set);
} sp_buckets __weak SEC(".maps");

/* By sp_rule.counter: what the sources under its limit share. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SP_COUNTERS_MAX);
	__type(key, __u32);
	__type(value, struct sp_limit_state);
} sp_limit_states __weak SEC(".maps");

#endif

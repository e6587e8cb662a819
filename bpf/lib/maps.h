/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_MAPS_H
#define SALLYPORT_LIB_MAPS_H
/*
 * Every map. Weak, so that the hooks' objects share one of each when they are
 * linked. Sizes that depend on the policy are set by the loader; "full" and
 * "missing" never mean pass. Inner maps give sizes, not types: clang leaves the
 * types that only an inner map names out of the BTF (seen with 19).
 */
#include "base.h"

/* The control word. Written by the loader through mmap; zero denies all. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sp_control);
} sp_control __weak SEC(".maps");

/* By slot: what is not in a table. Written by the loader while no word points at it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SP_SLOTS);
	__type(key, __u32);
	__type(value, struct sp_slot);
} sp_slots __weak SEC(".maps");

/* By slot: place on the service line to port class. A missing inner map denies. */
struct sp_ports_inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SP_PORT_CHUNKS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct sp_chunk));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SP_SLOTS);
	__type(key, __u32);
	__array(values, struct sp_ports_inner);
} sp_ports __weak SEC(".maps");

/* By slot: decision tables. An index past the end denies. */
struct sp_cells_inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct sp_chunk));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SP_SLOTS);
	__type(key, __u32);
	__array(values, struct sp_cells_inner);
} sp_cells __weak SEC(".maps");

/* By slot: which /24 (hashed /16, /32, /48) have an entry in the trie. */
struct sp_bits_inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SP_V4_BITS / SP_CHUNK_BITS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct sp_bits));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SP_SLOTS);
	__type(key, __u32);
	__array(values, struct sp_bits_inner);
} sp_v4_bits __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SP_SLOTS);
	__type(key, __u32);
	__array(values, struct sp_bits_inner);
} sp_v6_bits __weak SEC(".maps");

/* By slot: prefix to address class. A miss is the slot's default class. */
struct sp_v4_inner {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct sp_v4_key));
	__uint(value_size, sizeof(__u32));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SP_SLOTS);
	__type(key, __u32);
	__array(values, struct sp_v4_inner);
} sp_v4_trie __weak SEC(".maps");

struct sp_v6_inner {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct sp_v6_key));
	__uint(value_size, sizeof(__u32));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SP_SLOTS);
	__type(key, __u32);
	__array(values, struct sp_v6_inner);
} sp_v6_trie __weak SEC(".maps");

/* By slot: the rules. All zero is a deny. */
struct sp_rules_inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SP_RULES_MAX);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct sp_rule));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SP_SLOTS);
	__type(key, __u32);
	__array(values, struct sp_rules_inner);
} sp_rules __weak SEC(".maps");

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

/* By ifindex of the host's namespace. All zero: unknown link, XDP drops. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SP_IFINDEX_MAX);
	__type(key, __u32);
	__type(value, struct sp_iface);
} sp_ifaces __weak SEC(".maps");

/* By slot * SP_GLOB_GROUPS + group: the globs of [host] interfaces. Zero names nothing. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SP_SLOTS *SP_GLOB_GROUPS);
	__type(key, __u32);
	__type(value, struct sp_globs);
} sp_globs __weak SEC(".maps");

/* The machine's own addresses, SP_LOCAL_*. A miss: for somebody else, forward judges. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct sp_addr);
	__type(value, __u32);
} sp_local __weak SEC(".maps");

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

/* SP_COUNT_*, per CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SP_COUNTS);
	__type(key, __u32);
	__type(value, __u64);
} sp_counts __weak SEC(".maps");

/* By sp_iface.counter: what arrived; + SP_NICS_MAX: what left. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2 * SP_NICS_MAX);
	__type(key, __u32);
	__type(value, struct sp_nic_count);
} sp_nic_counts __weak SEC(".maps");

/* By sp_rule.counter. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SP_COUNTERS_MAX);
	__type(key, __u32);
	__type(value, struct sp_rule_count);
} sp_rule_counts __weak SEC(".maps");

/* struct sp_event. Full: the event is lost and counted, the packet's verdict stands. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} sp_events __weak SEC(".maps");

/* Events left this second, per CPU and direction. */
struct sp_credit {
	__u32 second;
	__u32 used;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SP_DIRECTIONS);
	__type(key, __u32);
	__type(value, struct sp_credit);
} sp_credits __weak SEC(".maps");

/* The settings of the installation, for the daemon that adopts it. Programs do not read it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sp_settings);
} sp_meta __weak SEC(".maps");

#endif

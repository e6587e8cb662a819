/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_MAPS_POLICY_H
#define SALLYPORT_LIB_MAPS_POLICY_H
/*
 * The policy: what the loader fills slot by slot. Inner maps give sizes, not types:
 * clang leaves the types that only an inner map names out of the BTF (seen with 19).
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

/* By slot: the limits of its rules. A number past the end lets nobody in. */
struct sp_limits_inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct sp_limit));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SP_SLOTS);
	__type(key, __u32);
	__array(values, struct sp_limits_inner);
} sp_limits __weak SEC(".maps");

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_MAPS_BANS_H
#define SALLYPORT_LIB_MAPS_BANS_H
/* Who is banned, whatever the policy. Written by the loader; generations come and go beside it. */
#include "base.h"

/* Which levels of the bitmap have a bit. Zero: nobody is banned, and nothing else is read. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sp_ban_state);
} sp_ban_state __weak SEC(".maps");

/* abi/ban.h. A bit that is not set: no entry covers the address. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SP_V6_BITS / SP_CHUNK_BITS);
	__type(key, __u32);
	__type(value, struct sp_bits);
} sp_ban_bits __weak SEC(".maps");

/* A miss: not banned. Full: user space refuses the ban. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SP_BAN_ENTRIES);
	__type(key, struct sp_v4_key);
	__type(value, struct sp_ban);
} sp_bans4 __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SP_BAN_ENTRIES);
	__type(key, struct sp_v6_key);
	__type(value, struct sp_ban);
} sp_bans6 __weak SEC(".maps");

/* By a hash of the source: whom a question is out to, for automatic bans. lib/challenge.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SP_CHALLENGES);
	__type(key, __u32);
	__type(value, struct sp_challenge);
} sp_challenges __weak SEC(".maps");

/* struct sp_proof: what no forged packet gets into. Full: it is lost, and counted. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} sp_proofs __weak SEC(".maps");

#endif

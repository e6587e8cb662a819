/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_BANS_H
#define SALLYPORT_LIB_BANS_H
/*
 * Is an address banned? Asked behind the link's essentials and before everything that is
 * known, by each hook, of the end or ends that are not this host. While nobody is banned
 * that reads one word; else a bit for each level in use, and a trie only where one is set.
 */
#include "address.h"
#include "maps.h"

static __always_inline int ban_bit(__u32 levels, __u64 first48, __u32 level)
{
	__u32 bit = sp_v6_bit(first48, level), chunk = bit / SP_CHUNK_BITS;
	const struct sp_bits *b;

	if (!(levels & 1u << level))
		return 0;
	b = bpf_map_lookup_elem(&sp_ban_bits, &chunk);
	/* The last is never taken: the array has all of them. */
	return !b || (b->words[bit % SP_CHUNK_BITS / 64] >> (bit % 64) & 1);
}

static __always_inline const struct sp_ban *find_ban4(__u32 levels, const struct sp_addr *a)
{
	__u64 first48 = (__u64)v4_of(a) << 16;
	struct sp_v4_key key = {.prefix_len = 32};

	if (!ban_bit(levels, first48 & ~0xffffffull, SP_BAN_LEVEL_V4_24) &&
	    !ban_bit(levels, first48 & ~0xffffffffull, SP_BAN_LEVEL_V4_16) &&
	    !ban_bit(levels, first48 & ~0xffffffffffull, SP_BAN_LEVEL_V4_8))
		return 0;
	__builtin_memcpy(key.addr, &a->bytes[12], 4);
	return bpf_map_lookup_elem(&sp_bans4, &key);
}

static __always_inline const struct sp_ban *find_ban6(__u32 levels, const struct sp_addr *a)
{
	__u64 first48 = (__u64)bpf_ntohl(a->words[0]) << 16 | bpf_ntohl(a->words[1]) >> 16;
	struct sp_v6_key key = {.prefix_len = 128};

	if (!ban_bit(levels, first48, SP_V6_LEVEL_48) &&
	    !ban_bit(levels, first48 & ~0xffffull, SP_V6_LEVEL_32) &&
	    !ban_bit(levels, first48 & ~0xffffffffull, SP_V6_LEVEL_16))
		return 0;
	__builtin_memcpy(key.addr, a->bytes, 16);
	return bpf_map_lookup_elem(&sp_bans6, &key);
}

/* Global, that the verifier looks at it once, not for each way that leads here. */
SP_GLOBAL int is_banned(const struct sp_addr *a)
{
	const struct sp_ban_state *state;
	const struct sp_ban *ban;
	__u32 zero = 0, levels;

	if (!a)
		return 1;
	state = bpf_map_lookup_elem(&sp_ban_state, &zero);
	levels = state ? state->levels : ~0u;
	if (levels == 0)
		return 0;
	ban = is_mapped(a) ? find_ban4(levels, a) : find_ban6(levels, a);
	return ban && (ban->until_ns == 0 || ban->until_ns > bpf_ktime_get_boot_ns());
}

#endif

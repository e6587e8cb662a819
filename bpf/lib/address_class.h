/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_ADDRESS_CLASS_H
#define SALLYPORT_LIB_ADDRESS_CLASS_H
/* From an address to its class, and to what the policy marks it with. */
#include "address.h"
#include "tables.h"

static __always_inline int bit_set(void *bits, __u32 bit)
{
	__u32 chunk = bit / SP_CHUNK_BITS;
	const struct sp_bits *b = bpf_map_lookup_elem(bits, &chunk);

	/* A bitmap that is not there says "maybe": the trie decides. */
	return !b || (b->words[bit % SP_CHUNK_BITS / 64] >> (bit % 64) & 1);
}

static __always_inline __u32 v4_class(const struct view *v, const struct sp_addr *a)
{
	__u32 slot = v->slot, host = v4_of(a);
	struct sp_v4_key key = {.prefix_len = 32};
	void *bits = bpf_map_lookup_elem(&sp_v4_bits, &slot), *trie;
	const __u32 *class;

	if (bits && !bit_set(bits, host >> 8))
		return v->policy->v4_default;
	trie = bpf_map_lookup_elem(&sp_v4_trie, &slot);
	if (!trie)
		return SP_SLOTS << 16; /* no such class: denied where it is looked up */
	__builtin_memcpy(key.addr, &a->bytes[12], 4);
	class = bpf_map_lookup_elem(trie, &key);
	return class ? *class : v->policy->v4_default;
}

static __always_inline int v6_maybe(const struct view *v, void *bits, const struct sp_addr *a)
{
	__u64 first48 = (__u64)bpf_ntohl(a->words[0]) << 16 | bpf_ntohl(a->words[1]) >> 16;
	__u32 levels = v->policy->v6_levels;

	if (levels & SP_V6_LEVEL_48 && bit_set(bits, sp_v6_bit(first48, SP_V6_LEVEL_48)))
		return 1;
	if (levels & SP_V6_LEVEL_32 &&
	    bit_set(bits, sp_v6_bit(first48 & ~0xffffull, SP_V6_LEVEL_32)))
		return 1;
	return levels & SP_V6_LEVEL_16 &&
	       bit_set(bits, sp_v6_bit(first48 & ~0xffffffffull, SP_V6_LEVEL_16));
}

static __always_inline __u32 v6_class(const struct view *v, const struct sp_addr *a)
{
	__u32 slot = v->slot;
	struct sp_v6_key key = {.prefix_len = 128};
	void *bits = bpf_map_lookup_elem(&sp_v6_bits, &slot), *trie;
	const __u32 *class;

	if (bits && !v6_maybe(v, bits, a))
		return v->policy->v6_default;
	trie = bpf_map_lookup_elem(&sp_v6_trie, &slot);
	if (!trie)
		return SP_SLOTS << 16;
	__builtin_memcpy(key.addr, a->bytes, 16);
	class = bpf_map_lookup_elem(trie, &key);
	return class ? *class : v->policy->v6_default;
}

static __noinline __u32 address_class(const struct view *v, const struct sp_addr *a)
{
	return is_mapped(a) ? v4_class(v, a) : v6_class(v, a);
}

/* SP_MARK_* of an address on an interface; 0 on any doubt. */
SP_GLOBAL int marks_of(__u32 slot, const struct sp_addr *a, __u32 iface)
{
	struct view v;
	__u16 marks = 0;
	__u32 class;

	if (!a || view_of_slot(&v, slot))
		return 0;
	class = address_class(&v, a);
	if (class >= v.policy->n_classes || iface >= v.policy->n_ifaces)
		return 0;
	if (!read_cell(&v, v.policy->marks_at + iface * v.policy->n_classes + class, &marks))
		return 0;
	return marks;
}

#endif

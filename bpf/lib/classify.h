/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_CLASSIFY_H
#define SALLYPORT_LIB_CLASSIFY_H
/* From an opening to the one rule that decides it: abi/types.h, "cells". */
#include "address.h"
#include "packet.h"
#include "view.h"

/* The opening of a flow, as the policy asks about it. */
struct opening {
	struct sp_addr near; /* ingress, forward: who opens; egress: whom to */
	struct sp_addr far;  /* forward: whom to */
	__u32 direction;
	__u32 identity;
	__u16 iface_class;
	__u16 port; /* asked for; ICMP: the type */
	__u8 proto;
	__u8 family;
};

/* What came of it. reason 0: a rule allows it. */
struct answer {
	enum sp_reason reason;
	__u32 rule; /* rule + 1; 0: none */
	__u32 counter;
	__u32 flags; /* sp_rule.flags */
};

static __always_inline int read_cell(const struct view *v, __u32 index, __u16 *word)
{
	__u32 slot = v->slot, chunk = index / SP_CHUNK_WORDS;
	const struct sp_chunk *c;
	void *cells = bpf_map_lookup_elem(&sp_cells, &slot);

	if (!cells)
		return 0;
	c = bpf_map_lookup_elem(cells, &chunk);
	if (!c)
		return 0;
	*word = c->words[index % SP_CHUNK_WORDS];
	return 1;
}

static __always_inline __u32 service_place(__u8 proto, __u16 port)
{
	switch (proto) {
	case SP_PROTO_TCP:
		return SP_LINE_TCP + port;
	case SP_PROTO_UDP:
		return SP_LINE_UDP + port;
	case SP_PROTO_SCTP:
		return SP_LINE_SCTP + port;
	case SP_PROTO_UDPLITE:
		return SP_LINE_UDPLITE + port;
	case SP_PROTO_ICMP:
		return SP_LINE_ICMP4 + (port & 0xff);
	case SP_PROTO_ICMP6:
		return SP_LINE_ICMP6 + (port & 0xff);
	default:
		return SP_LINE_PROTO + proto;
	}
}

static __always_inline int port_class(const struct view *v, __u32 direction, __u8 proto, __u16 port,
				      __u16 *class)
{
	__u32 place = direction * SP_LINE_END + service_place(proto, port);
	__u32 slot = v->slot, chunk = place / SP_CHUNK_WORDS;
	const struct sp_chunk *c;
	void *ports = bpf_map_lookup_elem(&sp_ports, &slot);

	if (!ports)
		return 0;
	c = bpf_map_lookup_elem(ports, &chunk);
	if (!c)
		return 0;
	*class = c->words[place % SP_CHUNK_WORDS];
	return 1;
}

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

/* Null for what is no direction. */
static __always_inline const struct sp_dims *dims_of(const struct view *v, __u32 direction)
{
	/* clang 19 folds the check away and leaves 6.18's verifier a register without bounds. */
	barrier_var(direction);
	return direction < SP_DIRECTIONS ? &v->policy->dims[direction] : 0;
}

/* Rule + 1 of the deciding rule in *cell; 0 when a table does not answer. */
static __always_inline int decide(const struct view *v, const struct opening *o, __u16 *cell)
{
	const struct sp_dims *d = dims_of(v, o->direction);
	__u16 port, near, far;
	__u32 class, second;

	*cell = 0;
	if (!d || d->n_second == 0 || !port_class(v, o->direction, o->proto, o->port, &port))
		return 0;
	if (port == 0)
		return 1; /* no rule names it: no address is looked at */
	class = address_class(v, &o->near);
	if (class >= v->policy->n_classes || o->iface_class >= v->policy->n_ifaces ||
	    !read_cell(v, d->near_at + class, &near) || near >= d->n_near || port >= d->n_ports)
		return 0;
	if (!read_cell(v, d->first_at + (o->iface_class * d->n_near + near) * d->n_ports + port,
		       cell))
		return 0;
	if (d->n_second == 1)
		return 1;
	second = o->identity;
	if (o->direction == SP_FORWARD) {
		class = address_class(v, &o->far);
		if (class >= v->policy->n_classes || !read_cell(v, d->far_at + class, &far))
			return 0;
		second = far;
	}
	if (second >= d->n_second)
		return 0;
	return read_cell(v, d->second_at + *cell * d->n_second + second, cell);
}

/* What the policy of a slot says of an opening. */
SP_GLOBAL int judge_opening(__u32 slot, const struct opening *o, struct answer *a)
{
	const struct sp_rule *rule;
	struct view v;
	__u32 index;
	void *rules;
	__u16 cell;

	if (!o || !a)
		return 0;
	a->rule = 0;
	a->counter = 0;
	a->flags = 0;
	a->reason = SP_REASON_INTERNAL;
	if (view_of_slot(&v, slot) || !decide(&v, o, &cell))
		return 0;
	a->reason = SP_REASON_NO_RULE;
	if (cell == 0)
		return 0;
	rules = bpf_map_lookup_elem(&sp_rules, &slot);
	index = cell - 1;
	rule = rules ? bpf_map_lookup_elem(rules, &index) : 0;
	if (!rule) {
		a->reason = SP_REASON_INTERNAL;
		return 0;
	}
	a->rule = cell;
	a->counter = rule->counter;
	a->flags = rule->flags;
	a->reason = rule->allow == 1 ? SP_REASON_NONE : SP_REASON_DENIED;
	return 0;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_CLASSIFY_H
#define SALLYPORT_LIB_CLASSIFY_H
/* From an opening to the one rule that decides it: abi/types.h, "cells". */
#include "address_class.h"

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

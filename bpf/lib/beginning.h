/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_BEGINNING_H
#define SALLYPORT_LIB_BEGINNING_H
/* A packet that opens something, and the limit of the rule that lets it in. */
#include "limit.h"
#include "settle.h"

/* Does the limit of the rule that lets it in, if it has one, let it in too? */
static __noinline int is_within_limit(const struct view *v, const struct packet *p,
				      const struct finding *f)
{
	struct beginning b = {
	    .src = p->src,
	    .limit = f->flags >> SP_RULE_LIMIT_SHIFT,
	    .counter = f->counter,
	    .src_port = p->src_port,
	    .dst_port = p->dst_port,
	    .proto = p->proto,
	};

	if (is_icmp(p))
		b.dst_port = p->icmp_type;
	return may_begin(v->slot, &b);
}

#endif

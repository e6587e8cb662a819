/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_BEGINNING_H
#define SALLYPORT_LIB_BEGINNING_H
/* A packet that opens something, and the limit of the rule that lets it in. */
#include "connections.h"
#include "limit.h"
#include "settle.h"

static __always_inline struct beginning beginning_of(const struct packet *p,
						     const struct finding *f)
{
	struct beginning b = {
	    .src = p->src,
	    .limit = f->flags >> SP_RULE_LIMIT_SHIFT,
	    .counter = f->counter,
	    .src_port = p->src_port,
	    .dst_port = is_icmp(p) ? p->icmp_type : p->dst_port,
	    .proto = p->proto,
	};

	return b;
}

/*
 * What the limit of the rule that lets it in, if it has one, says of an opening.
 * `plain` 1: it was to prove its source, and there is no cookie to give.
 */
static __noinline int judge_beginning(const struct view *v, const struct packet *p,
				      struct finding *f, __u16 plain)
{
	struct beginning b;
	int may;

	if (!(f->flags >> SP_RULE_LIMIT_SHIFT))
		return 0;
	b = beginning_of(p, f);
	b.plain = plain;
	if (!may_connect(v->slot, &b)) {
		f->reason = SP_REASON_TOO_MANY_CONNECTIONS;
		f->cookie = 0;
		f->opened = 0;
		return 0;
	}
	may = may_begin(v->slot, &b);
	f->reason = may == SP_BEGIN_MAY ? SP_REASON_NONE : SP_REASON_OVER_LIMIT;
	f->cookie = (__u16)(may & (SP_BEGIN_PROVE | SP_BEGIN_UNASKED | SP_BEGIN_CALM));
	f->opened = may == SP_BEGIN_MAY;
	return 0;
}

#endif

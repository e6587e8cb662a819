/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_PASSING_H
#define SALLYPORT_LIB_PASSING_H
/* What the hook for routed traffic works on, and leaves behind for TC on the same CPU. */
#include "settle.h"
#include "stand.h"
#include "work.h"

struct passing {
	struct packet p;
	struct finding f;
	struct stand stand;
};
SP_FITS_WORK(struct passing);

/*
 * Who sends what leaves, behind the NAT of the source. A packet goes from that hook to TC
 * without a pause, but for one that had to wait for its neighbour's address: of such a one
 * only the interface is told. That costs its sender nothing but a share in the table.
 */
static __always_inline __u32 source_before_nat(const struct packet *p, __u32 in_index)
{
	const struct passing *last = work_area(SP_WORK_FORWARD);

	if (!last || !same_addr(&last->p.dst, &p->dst) || last->p.dst_port != p->dst_port ||
	    last->p.proto != p->proto)
		return in_index << 16;
	return source_of(in_index, &last->p.src);
}

#endif

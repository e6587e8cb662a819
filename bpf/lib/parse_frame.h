/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_PARSE_FRAME_H
#define SALLYPORT_LIB_PARSE_FRAME_H
/* From an interface's frame to the ports. */
#include "parse_link.h"

/* Not inlined, for the stack. */
static __noinline enum sp_reason parse_frame(const struct reader *r, const struct sp_iface *iface,
					     struct packet *p)
{
	enum sp_reason reason = parse_link(r, iface, p);

	return reason ? reason : parse_l3(r, p);
}

#endif

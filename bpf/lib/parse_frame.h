/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_PARSE_FRAME_H
#define SALLYPORT_LIB_PARSE_FRAME_H
/* From an interface's frame to the ports, for the hooks of TC. */
#include "parse_l4.h"

/* A frame of an interface, by what its link carries. */
static __noinline enum sp_reason parse_frame(const struct reader *r, const struct sp_iface *iface,
					     struct packet *p)
{
	enum sp_reason reason = SP_REASON_ETHERTYPE;

	if (iface->link == SP_LINK_ETHERNET)
		reason = parse_ethernet(r, p);
	else if (iface->link == SP_LINK_IP)
		reason = parse_bare_ip(r, p);
	return reason ? reason : parse_l3(r, p);
}

#endif

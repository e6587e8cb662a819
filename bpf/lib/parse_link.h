/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_PARSE_LINK_H
#define SALLYPORT_LIB_PARSE_LINK_H
/* What an interface's link puts before the IP header. */
#include "parse_l4.h"

/* As far as the IP header, by what the interface's link carries. */
static __always_inline enum sp_reason parse_link(const struct reader *r,
						 const struct sp_iface *iface, struct packet *p)
{
	if (iface->link == SP_LINK_ETHERNET)
		return parse_ethernet(r, p);
	return iface->link == SP_LINK_IP ? parse_bare_ip(r, p) : SP_REASON_ETHERTYPE;
}

#endif

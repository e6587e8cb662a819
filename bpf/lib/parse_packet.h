/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_PARSE_PACKET_H
#define SALLYPORT_LIB_PARSE_PACKET_H
/* From the IP header to the ports, for the hooks of cgroups: they see no link layer. */
#include "parse_l4.h"

#define SP_IFINDEX_LO 1 /* in every namespace */

static __noinline enum sp_reason parse_packet(const struct reader *r, struct packet *p)
{
	enum sp_reason reason = parse_bare_ip(r, p);

	return reason ? reason : parse_l3(r, p);
}

#endif

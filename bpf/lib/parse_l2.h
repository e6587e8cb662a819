/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_PARSE_L2_H
#define SALLYPORT_LIB_PARSE_L2_H
/* Ethernet, 802.1Q and 802.1ad. A reader is included before this. */
#include "packet.h"

static __always_inline enum sp_reason parse_ethernet(const struct reader *r, struct packet *p)
{
	__u8 header[14];
	__u8 tag[4];
	__u32 offset = sizeof(header);
	__u16 type;

	if (read_bytes(r, 0, header, sizeof(header)))
		return SP_REASON_TRUNCATED;
	__builtin_memcpy(p->dst_mac, header, sizeof(p->dst_mac));
	if (header[0] & 1)
		p->marks |= SP_PKT_L2_GROUP;
	type = (__u16)(header[12] << 8 | header[13]);
	for (int i = 0; i < SP_VLANS_MAX; i++) {
		if (type != SP_ETH_8021Q && type != SP_ETH_8021AD)
			break;
		if (read_bytes(r, offset, tag, sizeof(tag)))
			return SP_REASON_TRUNCATED;
		type = (__u16)(tag[2] << 8 | tag[3]);
		offset += sizeof(tag);
		p->vlans++;
	}
	p->ethertype = type;
	p->l3_offset = offset;
	if (type == SP_ETH_8021Q || type == SP_ETH_8021AD)
		return SP_REASON_VLAN_DEPTH;
	return SP_REASON_NONE;
}

/* A device without Ethernet hands over an IP header at byte 0: the version says which. */
static __always_inline enum sp_reason parse_bare_ip(const struct reader *r, struct packet *p)
{
	__u8 first;

	if (read_bytes(r, 0, &first, 1))
		return SP_REASON_TRUNCATED;
	if (first >> 4 == 4)
		p->ethertype = SP_ETH_IP4;
	else if (first >> 4 == 6)
		p->ethertype = SP_ETH_IP6;
	else
		return SP_REASON_ETHERTYPE;
	return SP_REASON_NONE;
}

#endif

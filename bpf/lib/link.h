/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_LINK_H
#define SALLYPORT_LIB_LINK_H
/* What is not IP: ARP, and the protocols between neighbours on a link that the policy names. */
#include "settle.h"

/* 01:80:c2:00:00:0X: bridges never pass it on (802.1Q 8.6.3). */
static __always_inline int is_to_neighbour(const struct packet *p)
{
	return p->dst_mac[0] == 0x01 && p->dst_mac[1] == 0x80 && p->dst_mac[2] == 0xc2 &&
	       p->dst_mac[3] == 0 && p->dst_mac[4] == 0 && p->dst_mac[5] < 16;
}

/* 01:1b:19:00:00:00, where PTP's messages go beside the neighbour's (1588, annex E). */
static __always_inline int is_to_clocks(const struct packet *p)
{
	return p->dst_mac[0] == 0x01 && p->dst_mac[1] == 0x1b && p->dst_mac[2] == 0x19 &&
	       p->dst_mac[3] == 0 && p->dst_mac[4] == 0 && p->dst_mac[5] == 0;
}

/* 1: LACP, 2: its marker (802.3 annex 57A); others share the type: OAM, ESMC. */
static __always_inline int is_lacp(const struct reader *r, const struct packet *p)
{
	__u8 subtype;

	return read_bytes(r, p->l3_offset, &subtype, 1) == 0 && (subtype == 1 || subtype == 2);
}

/* An 802.3 frame whose length holds, of the bridges' own service (802.1D: LLC 42-42-03). */
static __always_inline int is_bpdu(const struct reader *r, const struct packet *p)
{
	__u8 llc[3];

	return p->ethertype >= 7 && p->l3_offset + p->ethertype <= r->len &&
	       read_bytes(r, p->l3_offset, llc, 3) == 0 && llc[0] == 0x42 && llc[1] == 0x42 &&
	       llc[2] == 3;
}

/* The bit of sp_slot.flags that lets a frame through; 0: none does. */
static __always_inline __u32 link_protocol(const struct reader *r, const struct packet *p)
{
	int to_one = !(p->marks & SP_PKT_L2_GROUP);

	if (p->ethertype == SP_ETH_EAPOL)
		return to_one || is_to_neighbour(p) ? SP_SLOT_EAPOL : 0;
	if (p->ethertype == SP_ETH_PTP)
		return to_one || is_to_neighbour(p) || is_to_clocks(p) ? SP_SLOT_PTP : 0;
	if (!is_to_neighbour(p))
		return 0;
	if (p->ethertype == SP_ETH_LLDP)
		return SP_SLOT_LLDP;
	if (p->ethertype == SP_ETH_SLOW)
		return is_lacp(r, p) ? SP_SLOT_LACP : 0;
	if (p->ethertype <= SP_ETH_802_3_MAX)
		return is_bpdu(r, p) ? SP_SLOT_STP : 0;
	return 0;
}

/* Both ways alike. */
static __always_inline void judge_link(const struct reader *r, const struct view *v,
				       const struct packet *p, struct finding *f)
{
	f->reason = SP_REASON_ETHERTYPE;
	if (p->ethertype == SP_ETH_ARP)
		f->reason = v->policy->flags & SP_SLOT_ARP ? SP_REASON_NONE : SP_REASON_ARP;
	else if (v->policy->flags & link_protocol(r, p))
		f->reason = SP_REASON_NONE;
}

#endif

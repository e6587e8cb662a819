/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_ESSENTIAL_H
#define SALLYPORT_LIB_ESSENTIAL_H
/*
 * What a host needs to stay on its network: neighbour discovery (RFC 4861, and
 * only with hop limit 255, which no router lets through), MLD and IGMP (hop
 * limit 1), DHCP answers. Each function says
 * whether it has decided; the reason, or none, is in *reason then.
 */
#include "settle.h"

/* Both ways. Router alert is IGMP's alone (RFC 7126 4.8); of source routes the parser tells. */
static __always_inline enum sp_reason check_options(const struct view *v, const struct packet *p)
{
	int alert = p->marks & SP_PKT_ROUTER_ALERT && p->family == 4 && p->proto != SP_PROTO_IGMP;

	return (alert || p->marks & SP_PKT_OPTIONS) && !(v->policy->flags & SP_SLOT_IP_OPTIONS)
		   ? SP_REASON_IP_OPTIONS
		   : SP_REASON_NONE;
}

static __always_inline int is_neighbour_message(const struct packet *p)
{
	return p->family == 6 && p->proto == SP_PROTO_ICMP6 && p->icmp_type >= 133 &&
	       p->icmp_type <= 136;
}

static __always_inline int is_group_message(const struct packet *p)
{
	if (p->family == 4)
		return p->proto == SP_PROTO_IGMP;
	return p->proto == SP_PROTO_ICMP6 &&
	       ((p->icmp_type >= 130 && p->icmp_type <= 132) || p->icmp_type == 143);
}

static __always_inline int is_redirect(const struct packet *p)
{
	return (p->family == 4 && p->proto == SP_PROTO_ICMP && p->icmp_type == 5) ||
	       (p->family == 6 && p->proto == SP_PROTO_ICMP6 && p->icmp_type == 137);
}

/*
 * RFC 4861 6.1 and 7.1. Behind the IPv6 header at once: RFC 6980 forbids
 * fragments, nobody sends other extension headers there, and they are how
 * forged advertisements get past switches (RFC 7113).
 */
static __always_inline int neighbour_is_sound(const struct packet *p)
{
	if (p->hops != 255 || p->icmp_code != 0 || p->l4_offset != p->l3_offset + 40)
		return 0;
	if (p->icmp_type == 134 || p->icmp_type == 137)
		return is_link_local(&p->src);
	return 1;
}

/* RFC 3810 5: hop limit 1, behind a router alert alone, from a link-local address (or :: before
 * there is one). */
static __always_inline int group_is_sound(const struct packet *p)
{
	if (p->hops != 1)
		return 0;
	if (p->family == 4)
		return is_multicast(&p->dst);
	return p->marks & SP_PKT_ROUTER_ALERT && p->l4_offset == p->l3_offset + 48 &&
	       (is_link_local(&p->src) || is_unspecified(&p->src));
}

static __always_inline int decided(enum sp_reason *reason, enum sp_reason what)
{
	*reason = what;
	return 1;
}

static __always_inline int essential_icmp(const struct view *v, const struct packet *p,
					  enum sp_reason *reason)
{
	__u32 flags = v->policy->flags;

	if (is_redirect(p))
		return decided(reason, flags & SP_SLOT_REDIRECTS &&
					       (p->family == 4 || neighbour_is_sound(p))
					   ? SP_REASON_NONE
					   : SP_REASON_REDIRECT);
	if (is_neighbour_message(p))
		return decided(reason, flags & SP_SLOT_NEIGHBOUR && neighbour_is_sound(p)
					   ? SP_REASON_NONE
					   : SP_REASON_NEIGHBOUR);
	if (!is_group_message(p))
		return 0;
	if (flags & SP_SLOT_NEIGHBOUR && group_is_sound(p))
		return decided(reason, SP_REASON_NONE);
	/* IGMP may still have a rule; MLD that breaks its RFC may not. */
	return p->family == 6 ? decided(reason, SP_REASON_NEIGHBOUR) : 0;
}

static __always_inline int essential_arrival(const struct view *v, const struct packet *p,
					     __u16 iface_class, enum sp_reason *reason)
{
	if (essential_icmp(v, p, reason)) {
		/* Any machine on the link can send a sound advertisement (RFC 6104). */
		if (is_neighbour_message(p) && p->icmp_type == 134 &&
		    !(marks_of(v->slot, &p->src, iface_class) & SP_MARK_ROUTER))
			*reason = SP_REASON_NEIGHBOUR;
		return 1;
	}
	if (p->proto != SP_PROTO_UDP || !(v->policy->flags & SP_SLOT_DHCP))
		return 0;
	if (p->family == 4 && p->src_port == 67 && p->dst_port == 68)
		return decided(reason, SP_REASON_NONE);
	if (p->family == 6 && p->src_port == 547 && p->dst_port == 546 && is_link_local(&p->src))
		return decided(reason, SP_REASON_NONE);
	return 0;
}

/*
 * A datagram from port 68 to 67, to a server near by. Port 68 is any process's that may
 * bind it, and must be no way out: who is refused here renews by broadcast. Not inlined,
 * or sp_cg_egress would pass 512 bytes of stack.
 */
static __noinline int asks_near_server(const struct view *v, const struct packet *p,
				       const __u16 *iface_class)
{
	if (p->src_port != 68 || p->dst_port != 67)
		return 0;
	return is_limited_broadcast(&p->dst) || is_link_local(&p->dst) ||
	       marks_of(v->slot, &p->dst, *iface_class) & SP_MARK_INSIDE;
}

/*
 * What leaves: `kernel` says that the kernel made the packet. Anyone else could
 * hide data in such a message, so his must stay on the link; and a container
 * may not claim to be the host's DHCP client.
 */
static __always_inline int essential_departure(const struct view *v, const struct packet *p,
					       int kernel, int on_host, const __u16 *iface_class,
					       enum sp_reason *reason)
{
	if (p->marks & SP_PKT_FRAGMENT)
		return 0;
	if (is_redirect(p))
		return essential_icmp(v, p, reason);
	if (is_neighbour_message(p) || is_group_message(p)) {
		if (!kernel && !is_link_multicast(&p->dst) && !is_link_local(&p->dst) &&
		    !(p->family == 4 && is_multicast(&p->dst)))
			return 0;
		return essential_icmp(v, p, reason);
	}
	if (!on_host || p->proto != SP_PROTO_UDP || !(v->policy->flags & SP_SLOT_DHCP))
		return 0;
	if (p->family == 4 && asks_near_server(v, p, iface_class))
		return decided(reason, SP_REASON_NONE);
	if (p->family == 6 && p->src_port == 546 && p->dst_port == 547 &&
	    (is_link_multicast(&p->dst) || is_link_local(&p->dst)))
		return decided(reason, SP_REASON_NONE);
	return 0;
}

#endif

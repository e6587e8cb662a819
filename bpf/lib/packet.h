/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_PACKET_H
#define SALLYPORT_LIB_PACKET_H
/* What the parsers fill in and the policy reads. Numbers in host byte order. */
#include "base.h"

#define SP_ETH_IP4 0x0800
#define SP_ETH_ARP 0x0806
#define SP_ETH_8021Q 0x8100
#define SP_ETH_IP6 0x86dd
#define SP_ETH_SLOW 0x8809
#define SP_ETH_EAPOL 0x888e
#define SP_ETH_8021AD 0x88a8
#define SP_ETH_LLDP 0x88cc
#define SP_ETH_PTP 0x88f7
#define SP_ETH_802_3_MAX 0x05ff /* at most this: a length, not a type */

#define SP_PROTO_HOPOPTS 0
#define SP_PROTO_ICMP 1
#define SP_PROTO_IGMP 2
#define SP_PROTO_TCP 6
#define SP_PROTO_UDP 17
#define SP_PROTO_ROUTING 43
#define SP_PROTO_FRAGMENT 44
#define SP_PROTO_ICMP6 58
#define SP_PROTO_DSTOPTS 60
#define SP_PROTO_SCTP 132
#define SP_PROTO_UDPLITE 136

#define SP_TCP_FIN 1
#define SP_TCP_SYN 2
#define SP_TCP_RST 4
#define SP_TCP_PSH 8
#define SP_TCP_ACK 16
#define SP_TCP_URG 32

/* packet.marks */
#define SP_PKT_FRAGMENT 1u     /* a fragment that nobody looked into; ports are 0 */
#define SP_PKT_OPTIONS 2u      /* IPv4 options beside a lone router alert */
#define SP_PKT_ROUTER_ALERT 4u /* in the IPv4 options or the hop-by-hop header */
#define SP_PKT_L2_GROUP 8u     /* the frame's destination is a group or broadcast address */
#define SP_PKT_LOADED 16u      /* a TCP segment with payload */
#define SP_PKT_FIRST 128u      /* the first of several fragments, looked into by parse_piece() */

struct packet {
	struct sp_addr src; /* zero until an IP header was read */
	struct sp_addr dst;
	__u32 l3_offset;
	__u32 l4_offset; /* 0 until the IP header was walked */
	__u32 end;	 /* offset one past the IP packet; Ethernet padding lies behind */
	__u16 ethertype;
	__u16 src_port; /* ICMP echo: the id, in both */
	__u16 dst_port;
	__u8 family; /* 4, 6, or 0 for what is not IP */
	__u8 proto;  /* what the walk ended at */
	__u8 hops;   /* TTL, hop limit */
	__u8 tcp_flags;
	__u8 icmp_type;
	__u8 icmp_code;
	__u8 dst_mac[6];
	__u8 marks;
	__u8 vlans;
};

static __always_inline int has_ports(__u8 proto)
{
	return proto == SP_PROTO_TCP || proto == SP_PROTO_UDP || proto == SP_PROTO_SCTP ||
	       proto == SP_PROTO_UDPLITE;
}

static __always_inline int is_icmp(const struct packet *p)
{
	return (p->family == 4 && p->proto == SP_PROTO_ICMP) ||
	       (p->family == 6 && p->proto == SP_PROTO_ICMP6);
}

static __always_inline int is_echo_request(const struct packet *p)
{
	return (p->family == 4 && p->proto == SP_PROTO_ICMP && p->icmp_type == 8) ||
	       (p->family == 6 && p->proto == SP_PROTO_ICMP6 && p->icmp_type == 128);
}

static __always_inline int is_echo_reply(const struct packet *p)
{
	return (p->family == 4 && p->proto == SP_PROTO_ICMP && p->icmp_type == 0) ||
	       (p->family == 6 && p->proto == SP_PROTO_ICMP6 && p->icmp_type == 129);
}

/*
 * ICMP, no error, that asks or announces: all but what by its type is a reply (RFC 792, 950,
 * 8335; 4443, 4620). It answers to no flow, whose key but for echo does not tell types apart.
 */
static __always_inline int is_question(const struct packet *p)
{
	__u8 type = p->icmp_type;

	if (!is_icmp(p))
		return 0;
	if (p->family == 4)
		return type != 0 && type != 14 && type != 18 && type != 43;
	return type != 129 && type != 140 && type != 161;
}

/* RFC 792's time stamps; ICMPv6 has none. */
static __always_inline int is_time_reply(const struct packet *p)
{
	return p->family == 4 && p->proto == SP_PROTO_ICMP && p->icmp_type == 14;
}

/* Those that quote a packet: unreachable, time exceeded, parameter problem; too big in IPv6. */
static __always_inline int is_icmp_error(const struct packet *p)
{
	if (p->family == 4)
		return p->proto == SP_PROTO_ICMP &&
		       (p->icmp_type == 3 || p->icmp_type == 11 || p->icmp_type == 12);
	return p->family == 6 && p->proto == SP_PROTO_ICMP6 && p->icmp_type >= 1 &&
	       p->icmp_type <= 4;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_ADDRESS_H
#define SALLYPORT_LIB_ADDRESS_H
/* Questions to an address (network byte order, IPv4 in mapped form). */
#include "base.h"

static __always_inline __u32 v4_of(const struct sp_addr *a)
{
	return bpf_ntohl(a->words[3]);
}

static __always_inline void set_v4(struct sp_addr *a, __u32 wire)
{
	a->words[0] = 0;
	a->words[1] = 0;
	a->words[2] = bpf_ntohl(0x0000ffff);
	a->words[3] = wire;
}

static __always_inline int same_addr(const struct sp_addr *a, const struct sp_addr *b)
{
	return a->halves[0] == b->halves[0] && a->halves[1] == b->halves[1];
}

static __always_inline int is_mapped(const struct sp_addr *a)
{
	return a->halves[0] == 0 && a->words[2] == bpf_ntohl(0x0000ffff);
}

static __always_inline int is_multicast(const struct sp_addr *a)
{
	return is_mapped(a) ? (a->bytes[12] & 0xf0) == 0xe0 : a->bytes[0] == 0xff;
}

static __always_inline int is_limited_broadcast(const struct sp_addr *a)
{
	return is_mapped(a) && a->words[3] == 0xffffffff;
}

/* 0.0.0.0 and ::, and for IPv4 all of 0/8 (RFC 1122: "this network"). */
static __always_inline int is_unspecified(const struct sp_addr *a)
{
	if (is_mapped(a))
		return a->bytes[12] == 0;
	return a->halves[0] == 0 && a->halves[1] == 0;
}

static __always_inline int is_loopback(const struct sp_addr *a)
{
	if (is_mapped(a))
		return a->bytes[12] == 127;
	return a->halves[0] == 0 && a->words[2] == 0 && a->words[3] == bpf_ntohl(1);
}

static __always_inline int is_link_local(const struct sp_addr *a)
{
	if (is_mapped(a))
		return a->bytes[12] == 169 && a->bytes[13] == 254;
	return a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

/* ff01::/16 and ff02::/16: never forwarded (RFC 4291). */
static __always_inline int is_link_multicast(const struct sp_addr *a)
{
	return a->bytes[0] == 0xff && ((a->bytes[1] & 0x0f) == 1 || (a->bytes[1] & 0x0f) == 2);
}

/* 169.254.169.254 and fd00:ec2::254: where clouds hand out credentials. */
static __always_inline int is_metadata(const struct sp_addr *a)
{
	if (is_mapped(a))
		return v4_of(a) == 0xa9fea9fe;
	return a->words[0] == bpf_ntohl(0xfd000ec2) && a->words[1] == 0 && a->words[2] == 0 &&
	       a->words[3] == bpf_ntohl(0x254);
}

/*
 * Sources that no honest packet of the wire bears, the unspecified one aside,
 * which DAD and DHCP use. An IPv6 header with a mapped or compatible (::/96)
 * source has no business on the wire (RFC 4942).
 */
static __always_inline int is_bogon_source(const struct sp_addr *a, __u8 family)
{
	if (family == 6) {
		if (a->bytes[0] == 0xff || is_mapped(a))
			return 1;
		return a->halves[0] == 0 && a->words[2] == 0 && a->words[3] != 0;
	}
	return (a->bytes[12] & 0xf0) == 0xe0 || a->bytes[12] == 127 || a->words[3] == 0xffffffff;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_LOCAL_H
#define SALLYPORT_LIB_LOCAL_H
/* Whose an address is, and what is known of an interface. */
#include "address.h"
#include "maps.h"

/* An address of the host's own namespace. */
static __always_inline int is_own(const struct sp_addr *a)
{
	const __u32 *local = bpf_map_lookup_elem(&sp_local, a);

	return local && *local & SP_LOCAL_HOST;
}

/* Whose is the destination? SP_LOCAL_* of the host's namespace; groups are everybody's. */
static __always_inline int is_for_host(const struct sp_addr *dst)
{
	const __u32 *local;

	if (is_multicast(dst) || is_limited_broadcast(dst))
		return 1;
	local = bpf_map_lookup_elem(&sp_local, dst);
	return local && *local & (SP_LOCAL_HOST | SP_LOCAL_BROADCAST);
}

/* Class 0, which no glob matches, for an interface that nobody knows. */
static __always_inline __u16 class_of_iface(const struct sp_iface *iface, __u32 slot)
{
	return iface ? iface->iface_class[slot % SP_SLOTS] : 0;
}

#endif

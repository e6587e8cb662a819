/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_ROUTE_H
#define SALLYPORT_LIB_ROUTE_H
/* By which namespace's routes a packet leaves. */
#include "kernel_types.h"

/* Weak: only called where forward_hook is netfilter's (6.4); the kfunc is of 6.2. */
extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym __weak;

/*
 * Has the namespace of this NIC routed it? What a device above brings along (ipvlan,
 * macvlan) was routed in the namespace that it stands in, and what was bridged or
 * redirected has no route. Bonds, VLANs and bridges leave it in place.
 */
static __noinline int is_routed_here(struct __sk_buff *ctx)
{
	const struct sk_buff *skb = bpf_cast_to_kern_ctx(ctx);
	const struct dst_entry *route = (const void *)(BPF_CORE_READ(skb, _skb_refdst) & ~1ul);

	return route &&
	       BPF_CORE_READ(route, dev, nd_net.net) == BPF_CORE_READ(skb, dev, nd_net.net);
}

#endif

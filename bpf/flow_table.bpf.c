// SPDX-License-Identifier: GPL-2.0-only
/* The loader's hand on the flow table: never attached, run with a packet of its making. */
#include "lib/flow_put.h"
#include "lib/flow_sweep.h"

char LICENSE[] SEC("license") = "GPL";

/*
 * Enters one flow, given as the packet, by the same hash and lock as everybody's. Returns 1 when it
 * has room.
 */
SEC("xdp")
int sp_seed(struct xdp_md *ctx)
{
	struct sp_flow flow = {};

	if (bpf_xdp_load_bytes(ctx, 0, &flow, sizeof(flow)))
		return 0;
	flow.seen_s = now_s();
	return put_flow(&flow);
}

/*
 * Frees the expired flows of SP_SWEEP_SETS sets, from the one
 * whose number is the packet's first word. A table nobody sweeps still works:
 * an expired entry is taken over by the next flow that falls on it.
 */
SEC("xdp")
int sp_sweep(struct xdp_md *ctx)
{
	__u32 first = 0, now = now_s();

	if (bpf_xdp_load_bytes(ctx, 0, &first, sizeof(first)))
		return 0;
	for (__u32 i = 0; i < SP_SWEEP_SETS; i++)
		sweep_set(first + i, now);
	return 1;
}

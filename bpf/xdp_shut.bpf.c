// SPDX-License-Identifier: GPL-2.0-only
/*
 * NIC in, for the first moment of its guard: nothing passes. What had come up before any
 * XDP program was there is still on its way through the stack, and must meet the hold
 * while that takes the NIC for unguarded: it knows sp_xdp_in by its name.
 */
#include "lib/settle.h"

char LICENSE[] SEC("license") = "GPL";

SEC("xdp.frags")
int sp_xdp_shut(struct xdp_md *ctx)
{
	struct scene s = {.hook = SP_HOOK_HOLD, .ifindex = ctx->ingress_ifindex};
	struct finding f = {.reason = SP_REASON_NOT_GUARDED, .direction = SP_INGRESS};
	struct packet p = {};
	struct view v;

	s.len = (__u32)(ctx->data_end - ctx->data);
	view_of(&v);
	return settle(v.slot, &s, &f, &p, 0) & SP_PASSES ? XDP_PASS : XDP_DROP;
}

// SPDX-License-Identifier: GPL-2.0-only
/* NIC in: everything that arrives, before an skb exists and before any NAT. */
#include "lib/reader_xdp.h"
#include "lib/parse_l4.h"
#include "lib/arrival.h"

char LICENSE[] SEC("license") = "GPL";

static __always_inline int is_for_other_station(const struct sp_iface *iface,
						const struct packet *p)
{
	if (iface->link != SP_LINK_ETHERNET || p->marks & SP_PKT_L2_GROUP)
		return 0;
	for (int i = 0; i < 6; i++)
		if (p->dst_mac[i] != iface->mac[i])
			return 1;
	return 0;
}

static __noinline enum sp_reason parse(const struct reader *r, const struct sp_iface *iface,
				       struct packet *p)
{
	enum sp_reason reason = SP_REASON_ETHERTYPE;

	if (iface->link == SP_LINK_ETHERNET)
		reason = parse_ethernet(r, p);
	else if (iface->link == SP_LINK_IP)
		reason = parse_bare_ip(r, p);
	if (reason)
		return reason;
	if (is_for_other_station(iface, p))
		return SP_REASON_OTHER_STATION;
	return parse_l3(r, p);
}

SEC("xdp.frags")
int sp_xdp_in(struct xdp_md *ctx)
{
	struct reader r = reader_of(ctx);
	struct packet p = {};
	struct finding f = {.direction = SP_INGRESS};
	struct scene s = {.hook = SP_HOOK_XDP, .ifindex = ctx->ingress_ifindex, .len = r.len};
	const struct sp_iface *iface;
	struct view v;
	int pass;

	iface = bpf_map_lookup_elem(&sp_ifaces, &s.ifindex);
	if (!iface) /* an ifindex beyond the table cannot be guarded; nor can it come here */
		return XDP_DROP;
	f.reason = view_of(&v);
	if (f.reason == SP_REASON_NONE) {
		s.iface_class = iface->iface_class[v.slot % SP_SLOTS];
		f.reason = parse(&r, iface, &p);
		f.quiet = f.reason == SP_REASON_OTHER_STATION;
		if (f.reason == SP_REASON_NONE)
			judge_arrival(&r, &v, s.iface_class, &p, &f);
	}
	pass = settle(v.slot, &s, &f, &p, 0);
	count_nic(iface->counter, r.len, pass);
	return pass ? XDP_PASS : XDP_DROP;
}

/*
 * Never attached: run by the loader to enter one flow, given as the packet, by
 * the same hash and lock as everybody's. Returns 1 when it has room.
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
 * Never attached: frees the expired flows of SP_SWEEP_SETS sets, from the one
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

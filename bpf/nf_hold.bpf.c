// SPDX-License-Identifier: GPL-2.0-only
/*
 * Netfilter LOCAL_IN and FORWARD (6.4): an interface that a glob of the policy
 * names and that has no XDP program of ours yet, or any more, is held shut. The
 * device itself is asked for both, packet by packet: its name, so that a rename
 * counts at once, and its program, so that this needs no daemon.
 * And LOCAL_IN refuses answers of relayed flows that no NAT has taken on.
 */
/* A flavour of the same kfunc: bpftool cannot link two objects that name one (7.1). */
#define bpf_dynptr_from_skb bpf_dynptr_from_skb___hold
#include "lib/netfilter.h"
#include "lib/reader_nf.h"
#include "lib/parse_l4.h"
#include "lib/kernel_types.h"
#include "lib/flow.h"
#include "lib/settle.h"

#define NF_LOCAL_IN 1
#define FAMILY_IP4 2
#define FAMILY_IP6 10
#define DEVICE_LOOPBACK 8 /* IFF_LOOPBACK */

/* The name of the program at a link is that of sp_xdp_in, which root alone could forge. */
static __always_inline int runs_ours(struct bpf_xdp_link *link)
{
	static const char ours[16] = "sp_xdp_in";
	char name[16] = {};

	if (!link || !link->link.prog || !link->link.prog->aux)
		return 0;
	bpf_probe_read_kernel(name, sizeof(name), link->link.prog->aux->name);
	for (int i = 0; i < 10; i++)
		if (name[i] != ours[i])
			return 0;
	return 1;
}

static __always_inline int is_guarded(struct net_device *in)
{
	return runs_ours(in->xdp_state[1].link) || /* native */
	       runs_ours(in->xdp_state[0].link);
}

/* Does a glob of that slot's policy name the interface? No branch on a character: paths double. */
static __noinline int is_named(__u32 slot, struct net_device *in)
{
	char name[16] = {};
	__u64 hit = 0;

	bpf_probe_read_kernel(name, sizeof(name), in->name);
	for (__u32 i = 0; i < SP_GLOB_GROUPS; i++) {
		__u32 place = slot * SP_GLOB_GROUPS + i;
		const struct sp_globs *g = bpf_map_lookup_elem(&sp_globs, &place);
		__u64 at, goes_on = ~0ull;

		if (!g || !g->starts)
			break; /* groups are filled from the first */
		at = g->starts;
		/* What lies behind the name's zero may be left of an earlier name. */
		for (int c = 0; c < 15; c++) {
			__u8 character = (__u8)name[c];

			goes_on &= 0 - (((__u64)character + 255) >> 8);
			at = (((at & g->takes[character]) << 1 | (at & g->loops)) & goes_on) |
			     (at & ~goes_on);
		}
		hit |= at & g->accepts;
	}
	return hit != 0;
}

/* What an event tells; the packet has been through the stack's own checks. */
static __always_inline void read_ip(struct sk_buff *skb, __u8 pf, struct packet *p)
{
	const unsigned char *ip = skb->head + skb->network_header;
	__u8 h[40] = {}, l4[14] = {};
	__u32 len = 20;

	bpf_probe_read_kernel(h, 20, ip);
	if (pf == FAMILY_IP4) {
		p->family = 4;
		p->ethertype = SP_ETH_IP4;
		p->proto = h[9];
		p->src.bytes[10] = p->src.bytes[11] = 0xff;
		p->dst.bytes[10] = p->dst.bytes[11] = 0xff;
		__builtin_memcpy(&p->src.bytes[12], &h[12], 4);
		__builtin_memcpy(&p->dst.bytes[12], &h[16], 4);
		len = (h[0] & 15) * 4;
		if ((h[6] & 0x3f) || h[7])
			p->marks |= SP_PKT_FRAGMENT;
	} else {
		bpf_probe_read_kernel(h, 40, ip);
		p->family = 6;
		p->ethertype = SP_ETH_IP6;
		p->proto = h[6];
		__builtin_memcpy(&p->src, &h[8], 16);
		__builtin_memcpy(&p->dst, &h[24], 16);
		len = 40;
	}
	bpf_probe_read_kernel(l4, sizeof(l4), ip + len);
	if (has_ports(p->proto)) {
		p->src_port = (__u16)(l4[0] << 8 | l4[1]);
		p->dst_port = (__u16)(l4[2] << 8 | l4[3]);
	}
	if (p->proto == SP_PROTO_TCP)
		p->tcp_flags = l4[13];
	if (is_icmp(p)) {
		p->icmp_type = l4[0];
		p->icmp_code = l4[1];
	}
}

static __noinline enum sp_reason parse(struct sk_buff *skb, struct packet *p)
{
	struct reader r = reader_of(skb);
	enum sp_reason reason = parse_bare_ip(&r, p);

	return reason ? reason : parse_l3(&r, p);
}

/*
 * XDP lets in what belongs to a relayed flow for the sake of somebody behind this
 * host's NAT. When conntrack has forgotten the flow first, it ends here instead, at
 * whatever socket has that port. TCP needs no look: no SYN passes by an entry.
 */
static __noinline int is_stray(struct sk_buff *skb, struct packet *p)
{
	struct flow_touch t = {.now = now_s()};
	struct flow_facts facts = {};
	struct sp_flow_key key = {};

	if (parse(skb, p) || p->proto == SP_PROTO_TCP || is_icmp(p) || p->marks & SP_PKT_FRAGMENT)
		return 0;
	key.remote = p->src;
	key.local = p->dst;
	key.remote_port = p->src_port;
	key.local_port = p->dst_port;
	key.proto = p->proto;
	return find_flow(&key, &t, &facts) && facts.direction == SP_FORWARD;
}

SEC("netfilter")
int sp_nf_hold(struct bpf_nf_ctx *ctx)
{
	const struct nf_hook_state *state = ctx->state;
	struct net_device *in = state->in;
	struct scene s = {.hook = SP_HOOK_HOLD};
	struct finding f = {.reason = SP_REASON_NOT_GUARDED};
	struct packet p = {};
	struct view v;

	if (!in || in->flags & DEVICE_LOOPBACK)
		return SP_NF_ACCEPT;
	/* Without a policy nothing names an interface; what is guarded is shut by XDP. */
	if (view_of(&v))
		return SP_NF_ACCEPT;
	if (state->hook == NF_LOCAL_IN && is_stray(ctx->skb, &p))
		f.reason = SP_REASON_NO_RULE;
	else if (is_guarded(in) || !is_named(v.slot, in))
		return SP_NF_ACCEPT;
	else
		__builtin_memset(&p, 0, sizeof(p));
	f.direction = state->hook == NF_LOCAL_IN ? SP_INGRESS : SP_FORWARD;
	s.ifindex = (__u32)in->ifindex;
	s.len = ctx->skb->len;
	if (f.reason == SP_REASON_NOT_GUARDED)
		read_ip(ctx->skb, state->pf, &p);
	return settle(v.slot, &s, &f, &p, 0) & SP_PASSES ? SP_NF_ACCEPT : SP_NF_DROP;
}

char LICENSE[] SEC("license") = "GPL";

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an interface without guard hands over to be routed, before any NAT. Attached
 * to its TC ingress on kernels without netfilter links (before 6.4): a port that is
 * published by DNAT is not recognised here and needs a forward rule of its own.
 */
#include "lib/reader_skb.h"
#include "lib/parse_frame.h"
#include "lib/arrival.h"
#include "lib/capture.h"
#include "lib/passing.h"

char LICENSE[] SEC("license") = "GPL";

#define SP_TC_NEXT -1
#define SP_TC_DROP 2
#define SP_PACKET_HOST 0

/*
 * Is it for this host? Such an interface admits all that is, also what a parser
 * objects to behind the addresses; and what the stack will not route it drops. It does
 * route to 169.254.0.0/16, to all of 0.0.0.0/8 but the first address, and to ::; and it
 * takes off priority tags (VLAN 0) however many there are.
 */
static __always_inline int stays_here(const struct packet *p, enum sp_reason unsound)
{
	if (p->family == 0)
		return unsound != SP_REASON_VLAN_DEPTH;
	if (is_loopback(&p->dst) || is_for_host(&p->dst))
		return 1;
	return p->family == 4 ? p->dst.words[3] == 0 : is_link_local(&p->dst);
}

SEC("tc")
int sp_tc_forward(struct __sk_buff *skb)
{
	struct scene s = {.hook = SP_HOOK_FORWARD, .ifindex = skb->ifindex, .len = skb->len};
	struct reader r = reader_of(skb);
	struct passing *w = work_area(SP_WORK_FORWARD);
	const struct sp_iface *iface;
	struct view v;

	if (skb->pkt_type != SP_PACKET_HOST) /* nobody routes it; a bridge hands it on below IP */
		return SP_TC_NEXT;
	iface = bpf_map_lookup_elem(&sp_ifaces, &s.ifindex);
	if (!iface || !w)
		return SP_TC_DROP;
	__builtin_memset(w, 0, sizeof(*w));
	w->f.direction = SP_FORWARD;
	w->f.reason = parse_frame(&r, iface, &w->p);
	if (stays_here(&w->p, w->f.reason))
		return SP_TC_NEXT;
	if (view_of(&v))
		w->f.reason = SP_REASON_NO_POLICY;
	if (w->f.reason == SP_REASON_NONE && w->p.marks & SP_PKT_FRAGMENT)
		w->f.reason = SP_REASON_FRAGMENT;
	if (w->f.reason == SP_REASON_NONE)
		w->f.reason = check_headers(&v, &w->p);
	if (w->f.reason == SP_REASON_NONE && is_own(&w->p.src))
		w->f.reason = SP_REASON_BOGON;
	if (w->f.reason == SP_REASON_NONE && (is_banned(&w->p.src) || is_banned(&w->p.dst)))
		w->f.reason = SP_REASON_BANNED;
	if (w->f.reason == SP_REASON_NONE) {
		note_nat();
		s.iface_class = class_of_iface(iface, v.slot);
		stand_of(&w->stand, &w->p, 1);
		w->stand.iface_class = s.iface_class;
		w->stand.source = source_of(s.ifindex, &w->p.src);
		judge_routed(&r, &v, &w->stand, &w->p, 0, &w->f);
	}
	return settle_seen(&r, &v, &s, &w->f, &w->p, 0, layer_of(iface)) ? SP_TC_NEXT : SP_TC_DROP;
}

// SPDX-License-Identifier: GPL-2.0-only
/* NIC in: everything that arrives, before an skb exists and before any NAT. */
#include "lib/reader_xdp.h"
#include "lib/parse_link.h"
#include "lib/arrival.h"
#include "lib/capture.h"
#include "lib/challenge_answer.h"
#include "lib/cookie_answer.h"
#include "lib/fragment.h"
#include "lib/heard_answer.h"
#include "lib/work.h"

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
	enum sp_reason reason = parse_link(r, iface, p);

	if (reason)
		return reason;
	if (is_for_other_station(iface, p))
		return SP_REASON_OTHER_STATION;
	return parse_l3(r, p);
}

/* What judging works on; off the stack. */
struct arrival {
	struct packet p;
	struct finding f;
	struct stand stand;
	struct fragment g;
	struct synack answer; /* never zeroed: it is written before it is read */
};
SP_FITS_WORK(struct arrival);

/* Not inlined: what it reads into would lie below everything that is called later. */
static __noinline enum sp_reason parse_tracked(const struct reader *r, struct arrival *w)
{
	return check_piece(r, &w->p, &w->g.piece);
}

/* What of a packet's own checks asks for no port holds for a later fragment too. */
static __noinline void judge_tail(const struct view *v, __u32 ifindex, struct arrival *w)
{
	struct finding *f = &w->f;

	f->reason = check_headers(v, &w->p);
	if (f->reason)
		return;
	f->reason = SP_REASON_BOGON;
	if (is_own(&w->p.src) || is_unspecified(&w->p.src))
		return;
	f->reason = SP_REASON_L2_MISMATCH;
	if (w->p.marks & SP_PKT_L2_GROUP && is_own(&w->p.dst))
		return;
	if (!is_for_host(&w->p.dst))
		f->direction = SP_FORWARD;
	f->reason = SP_REASON_BANNED;
	if (is_banned(&w->p.src) || (f->direction == SP_FORWARD && is_banned(&w->p.dst)))
		return;
	judge_later(v, &w->p, &w->g, ifindex, 0, f);
}

SEC("xdp.frags")
int sp_xdp_in(struct xdp_md *ctx)
{
	struct reader r = reader_of(ctx);
	struct scene s = {.hook = SP_HOOK_XDP, .ifindex = ctx->ingress_ifindex, .len = r.len};
	struct arrival *w = work_area(SP_WORK_XDP);
	const struct sp_iface *iface;
	struct view v;
	__u64 reply;
	int pass;

	iface = bpf_map_lookup_elem(&sp_ifaces, &s.ifindex);
	if (!iface || !w) /* an ifindex beyond the table cannot be guarded; nor can it come here */
		return XDP_DROP;
	__builtin_memset(w, 0, __builtin_offsetof(struct arrival, answer));
	w->f.direction = SP_INGRESS;
	w->f.reason = view_of(&v);
	if (w->f.reason == SP_REASON_NONE) {
		s.iface_class = iface->iface_class[v.slot % SP_SLOTS];
		w->f.reason = parse(&r, iface, &w->p);
		w->f.quiet = w->f.reason == SP_REASON_OTHER_STATION;
		if (w->f.reason == SP_REASON_NONE && is_tracked(&v, &w->p))
			w->f.reason = parse_tracked(&r, w);
		if (w->f.reason == SP_REASON_NONE && w->g.piece.kind == PIECE_LATER)
			judge_tail(&v, s.ifindex, w);
		else if (w->f.reason == SP_REASON_NONE)
			judge_arrival(&r, &v, s.iface_class, &w->p, &w->stand, &w->f);
		if (w->f.reason == SP_REASON_NONE && w->g.piece.kind == PIECE_FIRST)
			keep_first(&v, &w->p, &w->g, s.ifindex, 0, &w->f);
	}
	if (answer_syn(&r, &v, &w->f, &w->p, &w->stand.key, &w->answer)) {
		count_nic(iface->counter, s.len, 0);
		return XDP_TX;
	}
	reply = reply_to(&r, &v, &w->p, &w->f);
	pass = settle_seen(&r, &v, &s, &w->f, &w->p, 0, layer_of(iface));
	count_nic(iface->counter, r.len, pass);
	if (is_heard(&w->f, &w->stand, &w->p))
		hear_answer(ctx, v.slot, w->p.l4_offset, w->p.end);
	if (!pass && reply && turn_refused(&r, &w->p, reply, &w->answer))
		return XDP_TX;
	return pass ? XDP_PASS : XDP_DROP;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * NIC out, by sender: what an internet socket under the cgroup sends was judged
 * whole by cgroup_skb and only leaves its flow here; packet sockets, routed
 * traffic and the kernel's own answers are judged now.
 */
#include "lib/reader_skb.h"
#include "lib/parse_frame.h"
#include "lib/capture.h"
#include "lib/fragment.h"
#include "lib/learn_offer.h"
#include "lib/leave_judged.h"
#include "lib/leave_routed.h"
#include "lib/link.h"
#include "lib/work.h"

char LICENSE[] SEC("license") = "GPL";

#define SP_TC_NEXT -1 /* TCX_NEXT and TC_ACT_UNSPEC: others may still object */
#define SP_TC_DROP 2
#define SP_AF_INET 2
#define SP_AF_INET6 10
#define SP_AF_PACKET 17

static __always_inline int is_under_cgroup(struct __sk_buff *skb)
{
	__u64 id;

	/* By known depth, because bpf_skb_under_cgroup() wants a map of file descriptors. */
	id = bpf_skb_ancestor_cgroup_id(skb, (int)sp_settings.host_level);
	return id != 0 && id == sp_settings.host_cgroup;
}

/* What judging works on; off the stack. */
struct leaving {
	struct packet p;
	struct finding f;
	struct departure d;
	struct fragment g;
	struct lesson lesson; /* never zeroed: it is written before it is read */
};
SP_FITS_WORK(struct leaving);

/* A first fragment shows its ports: where it stands is known only now. Not inlined for its stack.
 */
static __noinline enum sp_reason look_into_fragment(const struct reader *r, struct leaving *w)
{
	enum sp_reason reason = check_piece(r, &w->p, &w->g.piece);

	stand_of(&w->d.stand, &w->p, 0);
	return reason;
}

/*
 * Of what cgroup_skb did not let pass whole: the kernel's own datagrams, cut up
 * on their way here, when fragments are tracked; from packet sockets none. 1 when
 * that is decided; `unsound` is what looking into it came to.
 */
static __always_inline int judge_fragment(const struct view *v, struct leaving *w, __u32 ifindex,
					  enum sp_reason unsound)
{
	w->f.direction = SP_EGRESS;
	w->f.reason = SP_REASON_FRAGMENT;
	if (w->d.sender == SENDER_PACKET || !(v->policy->flags & SP_SLOT_FRAGMENTS))
		return 1;
	w->f.reason = unsound;
	if (unsound || w->g.piece.kind != PIECE_LATER)
		return unsound != SP_REASON_NONE;
	judge_later(v, &w->p, &w->g, ifindex, 1, &w->f);
	return 1;
}

static __always_inline void judge(struct __sk_buff *skb, const struct reader *r,
				  const struct view *v, const struct sp_iface *nic,
				  struct leaving *w)
{
	struct bpf_sock *sk = skb->sk;
	struct departure *d = &w->d;
	struct packet *p = &w->p;
	struct finding *f = &w->f;
	enum sp_reason unsound = SP_REASON_NONE;
	int fragment = p->marks & SP_PKT_FRAGMENT;
	__u32 family = sk ? sk->family : 0;
	struct sp_owner *o = 0;
	int inet = family == SP_AF_INET || family == SP_AF_INET6;

	if (p->family == 0) {
		judge_link(r, v, p, f);
		return;
	}
	if (!sk && skb->ingress_ifindex != 0) {
		leave_routed(r, v, d, p, nic, skb->ingress_ifindex, f);
		return;
	}
	if (answers_by_socket(skb, d, p))
		d->stand.write = 0;
	else if (p->proto == SP_PROTO_TCP && is_answering(p) && !is_opening(p))
		note_nat();
	if (inet && is_under_cgroup(skb)) {
		sk = bpf_sk_fullsock(sk);
		if (sk)
			o = bpf_sk_storage_get(&sp_owners, sk, 0, 0);
	}
	if (fragment)
		unsound = look_into_fragment(r, w);
	if (o && was_judged(o, p, fragment)) {
		f->reason = SP_REASON_NONE;
		if (!unsound)
			note_flow(v, d, p, o, f);
		return;
	}
	d->stand.identity = o ? identity_of(v, bpf_skb_cgroup_id(skb), o) : 0;
	d->sender = family == SP_AF_PACKET ? SENDER_PACKET : SENDER_KERNEL;
	f->reason = SP_REASON_BANNED;
	if (is_for_banned(v, d, p))
		return;
	if (fragment && judge_fragment(v, w, skb->ifindex, unsound))
		return;
	judge_departure(r, v, d, p, f);
	note_lease(v, d, p, f);
	if (is_of_nobody(skb) && p->proto == SP_PROTO_TCP && is_answering(p) && !is_opening(p) &&
	    note_answer(v, &d->stand, f))
		learn_offer(r, &d->stand, p->l4_offset, &w->lesson);
	if (f->reason == SP_REASON_NONE && w->g.piece.kind == PIECE_FIRST)
		keep_first(v, p, &w->g, skb->ifindex, 1, f);
	/* The kernel's error about something that it routes. */
	if (f->reason == SP_REASON_ICMP_UNRELATED && d->sender == SENDER_KERNEL) {
		d->stand.arriving = 0;
		if (stand_of_quote(r, p, &d->stand) &&
		    quote_may_pass(v, &d->stand, 0, d->stand.iface_class))
			f->reason = SP_REASON_NONE;
	}
}

SEC("tc")
int sp_tc_egress(struct __sk_buff *skb)
{
	struct scene s = {.hook = SP_HOOK_TC, .ifindex = skb->ifindex, .len = skb->len};
	struct reader r = reader_of(skb);
	struct leaving *w = work_area(SP_WORK_TC);
	const struct sp_iface *iface;
	struct view v;
	int pass;

	iface = bpf_map_lookup_elem(&sp_ifaces, &s.ifindex);
	if (!iface || !w)
		return SP_TC_DROP;
	__builtin_memset(w, 0, __builtin_offsetof(struct leaving, lesson));
	w->d.guarded = 1;
	w->d.on_host = 1;
	w->d.keeps = 1;
	w->f.direction = SP_EGRESS;
	w->f.reason = view_of(&v);
	if (w->f.reason == SP_REASON_NONE)
		w->f.reason = parse_frame(&r, iface, &w->p);
	if (w->f.reason == SP_REASON_NONE)
		w->f.reason = check_options(&v, &w->p);
	if (w->f.reason == SP_REASON_NONE) {
		s.iface_class = iface->iface_class[v.slot % SP_SLOTS];
		stand_of(&w->d.stand, &w->p, 0);
		w->d.stand.iface_class = s.iface_class;
		judge(skb, &r, &v, iface, w);
	}
	pass = settle_seen(&r, &v, &s, &w->f, &w->p, 0, layer_of(iface));
	count_nic(SP_NICS_MAX + iface->counter, s.len, pass);
	return pass ? SP_TC_NEXT : SP_TC_DROP;
}

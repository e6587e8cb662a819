// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this host routes, between the NAT of the destination and that of the source
 * (netfilter links, 6.4; one a family). Loaded only where the kernel has them.
 */
#include "lib/netfilter.h"
#include "lib/reader_nf.h"
#include "lib/parse_l4.h"
#include "lib/arrival.h"
#include "lib/capture.h"
#include "lib/conntrack.h"
#include "lib/passing.h"
#include "lib/published.h"

char LICENSE[] SEC("license") = "GPL";

static __always_inline const struct sp_iface *iface_of(__u32 ifindex)
{
	return bpf_map_lookup_elem(&sp_ifaces, &ifindex);
}

/*
 * The ingress rules, or what they have let in already. On a NIC without guard anybody may
 * ask, but for what lies behind a guarded one: that is a way out.
 */
static __noinline int may_be_asked(const struct view *v, struct stand *s,
				   const struct sp_iface *outside, const struct sp_iface *behind)
{
	struct flow_touch t = {.now = now_s()};
	struct flow_facts facts = {};
	struct answer a = {};

	if (!outside || !outside->guarded)
		return !behind || !behind->guarded;
	if (find_flow(&s->key, &t, &facts) && facts.direction == SP_INGRESS &&
	    facts.generation == v->policy->generation)
		return 1;
	s->iface_class = class_of_iface(outside, v->slot);
	if ((s->key.proto == SP_PROTO_ICMP || s->key.proto == SP_PROTO_ICMP6) &&
	    marks_of(v->slot, &s->key.remote, s->iface_class) & SP_MARK_PING)
		return 1;
	judge_as_opened(v, s, SP_INGRESS, &a);
	return a.reason == SP_REASON_NONE;
}

/*
 * A port that this host publishes by DNAT is an ingress matter: what was asked is
 * its own address. Answers of such a connection and ICMP errors about it as well.
 */
static __always_inline int is_published(const struct view *v, const struct sk_buff *skb,
					const struct sp_iface *in, const struct sp_iface *out,
					struct stand *s, int *reply)
{
	__builtin_memset(s, 0, sizeof(*s));
	return opened_before_nat(skb, &s->key, reply) && is_own(&s->key.local) &&
	       may_be_asked(v, s, *reply ? out : in, *reply ? in : out);
}

static __noinline enum sp_reason parse(const struct reader *r, struct packet *p)
{
	enum sp_reason reason = parse_bare_ip(r, p);

	return reason ? reason : parse_l3(r, p);
}

/*
 * Its answer is the reason in w->f, and is used: of a result that nobody asks for clang
 * leaves any register's content, and a pointer to the stack the verifier takes for one (6.18).
 */
static __noinline enum sp_reason judge(struct sk_buff *skb, const struct view *v, struct passing *w,
				       __u32 in_index, __u32 out_index)
{
	const struct sp_iface *in = iface_of(in_index), *out = iface_of(out_index);
	__u32 sides = class_of_iface(out, v->slot);
	struct reader r = reader_of(skb);
	int reply = 0;

	note_nat();
	w->f.reason = parse(&r, &w->p);
	/* Conntrack, where there is NAT, has put them together before. */
	if (w->f.reason == SP_REASON_NONE && w->p.marks & SP_PKT_FRAGMENT)
		w->f.reason = SP_REASON_FRAGMENT;
	if (w->f.reason == SP_REASON_NONE)
		w->f.reason = check_headers(v, &w->p);
	if (w->f.reason == SP_REASON_NONE && is_own(&w->p.src)) /* IPv6 would route it */
		w->f.reason = SP_REASON_BOGON;
	if (w->f.reason == SP_REASON_NONE && (is_banned(&w->p.src) || is_banned(&w->p.dst)))
		w->f.reason = SP_REASON_BANNED;
	if (w->f.reason != SP_REASON_NONE)
		return w->f.reason;
	if (is_published(v, skb, in, out, &w->stand, &reply)) {
		w->f.direction = SP_INGRESS;
		if (!reply && out && out->guarded && !is_icmp_error(&w->p) &&
		    !note_asked(&w->p, v->policy->generation, idle_of(v, w->p.proto)))
			w->f.reason = SP_REASON_FLOW_FULL;
		return w->f.reason;
	}
	stand_of(&w->stand, &w->p, 1);
	w->stand.iface_class = class_of_iface(in, v->slot);
	if (in && in->guarded)
		sides |= SP_ROUTED_STRANGER;
	else
		w->stand.source = source_of(in_index, &w->p.src);
	judge_routed(&r, v, &w->stand, &w->p, sides, &w->f);
	return w->f.reason;
}

SEC("netfilter")
int sp_nf_forward(struct bpf_nf_ctx *ctx)
{
	const struct nf_hook_state *state = ctx->state;
	struct sk_buff *skb = ctx->skb;
	struct reader r = reader_of(skb);
	struct scene s = {.hook = SP_HOOK_FORWARD, .len = skb->len};
	struct passing *w = work_area(SP_WORK_FORWARD);
	__u32 out = 0;
	struct view v;

	if (!w)
		return SP_NF_DROP;
	if (asking()) { /* test runs have it come from nowhere and leave by loopback */
		s.ifindex = sp_question.in;
		out = sp_question.out;
	} else {
		if (state->in)
			s.ifindex = (__u32)state->in->ifindex;
		if (state->out)
			out = (__u32)state->out->ifindex;
	}
	__builtin_memset(w, 0, sizeof(*w));
	w->f.direction = SP_FORWARD;
	w->f.reason = view_of(&v);
	if (w->f.reason == SP_REASON_NONE) {
		s.iface_class = class_of_iface(iface_of(s.ifindex), v.slot);
		w->f.reason = judge(skb, &v, w, s.ifindex, out);
	}
	return settle_seen(&r, &v, &s, &w->f, &w->p, 0, SP_CAPTURE_IP) ? SP_NF_ACCEPT : SP_NF_DROP;
}

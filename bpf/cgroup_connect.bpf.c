// SPDX-License-Identifier: GPL-2.0-only
/*
 * connect4/6, sendmsg4/6: refuse early, where the program still hears EPERM and
 * the process is known. cgroup_skb judges the packets themselves, so whatever
 * is unclear here passes on to it.
 */
#include "lib/bans.h"
#include "lib/owner.h"
#include "lib/settle.h"

char LICENSE[] SEC("license") = "GPL";

#define SP_PROTO_MPTCP 262 /* not a number of the wire: RFC 8684 over TCP */

/*
 * Loopback and a namespace's own addresses go out by no interface. Of which of
 * the other namespaces an address is, is not known: there cgroup_skb decides.
 */
static __always_inline int stays_here(const struct sp_addr *dst, int on_host)
{
	const __u32 *local;

	if (is_loopback(dst) || (is_mapped(dst) ? dst->words[3] == 0 : is_unspecified(dst)))
		return 1;
	local = bpf_map_lookup_elem(&sp_local, dst);
	return local && *local & (on_host ? SP_LOCAL_HOST : SP_LOCAL_ELSEWHERE);
}

static __always_inline void note_sender(struct bpf_sock_addr *ctx, struct sp_owner *o)
{
	if (asking())
		return;
	note_current(o);
	o->netns = bpf_get_netns_cookie(ctx);
	if (!o->cgroup) { /* a socket that the backfill missed: not yet in any table of files */
		o->cgroup = bpf_get_current_cgroup_id();
		o->uid = (__u32)bpf_get_current_uid_gid();
	}
}

static __always_inline void describe(struct bpf_sock_addr *ctx, struct packet *p)
{
	p->proto = ctx->protocol == SP_PROTO_MPTCP ? SP_PROTO_TCP : (__u8)ctx->protocol;
	p->dst_port = bpf_ntohs((__u16)ctx->user_port);
	p->family = is_mapped(&p->dst) ? 4 : 6;
	/* The source is chosen later; the event says where to. */
	if (p->family == 4)
		set_v4(&p->src, 0);
	if (p->proto == SP_PROTO_TCP)
		p->tcp_flags = SP_TCP_SYN;
}

#define SP_IFACES_ASKED 16 /* interface classes tried; more: the packet decides */

/* The route is not known yet: allowed when it would be by some interface. */
static __always_inline void judge_anywhere(const struct view *v, struct opening *o,
					   struct answer *a)
{
	for (__u16 class = 0; class < SP_IFACES_ASKED; class ++) {
		if (class >= v->policy->n_ifaces)
			return;
		o->iface_class = class;
		judge_opening(v->slot, o, a);
		if (a->reason == SP_REASON_NONE)
			return;
	}
	a->reason = SP_REASON_NONE;
}

/* 1: go on, 0: EPERM. */
static __always_inline int judge_connect(struct bpf_sock_addr *ctx, struct packet *p, __u32 hook)
{
	struct scene s = {.hook = hook};
	struct finding f = {.direction = SP_EGRESS};
	struct opening o = {.direction = SP_EGRESS};
	struct answer a = {.reason = SP_REASON_INTERNAL};
	struct bpf_sock *sk = ctx->sk;
	struct sp_owner *owner;
	struct view v;

	if (!sk)
		return 1;
	owner = bpf_sk_storage_get(&sp_owners, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!owner)
		return 0;
	note_sender(ctx, owner);
	describe(ctx, p);
	/* Before any way out of here: a socket that was accepted, or spared, may be
	 * disconnected and used anew, and must not take its old verdict along. */
	if (hook == SP_HOOK_CONNECT && p->proto == SP_PROTO_TCP && !asking()) {
		owner->opened = SP_OPENED(SP_EGRESS);
		owner->generation = 0;
	}
	if (!has_ports(p->proto) || p->dst_port == 0 ||
	    stays_here(&p->dst, owner->netns == sp_settings.host_netns))
		return 1; /* port 0 sends nothing: resolvers ask so for a source address */
	/* A bound datagram socket may be answering: only the packet tells. */
	if (p->proto != SP_PROTO_TCP && sk->src_port != 0)
		return 1;
	f.reason = view_of(&v);
	if (f.reason == SP_REASON_NONE && is_banned(&p->dst))
		f.reason = SP_REASON_BANNED;
	if (f.reason == SP_REASON_NONE) {
		o.near = p->dst;
		o.proto = p->proto;
		o.port = p->dst_port;
		o.identity = identity_of(&v, owner->cgroup, owner);
		judge_anywhere(&v, &o, &a);
		take_answer(&f, &a);
		if (f.reason == SP_REASON_NONE)
			return 1;
	}
	return settle(v.slot, &s, &f, p, owner) & SP_PASSES;
}

static __always_inline int judge_connect4(struct bpf_sock_addr *ctx, __u32 hook)
{
	struct packet p = {};

	set_v4(&p.dst, ctx->user_ip4);
	return judge_connect(ctx, &p, hook);
}

static __always_inline int judge_connect6(struct bpf_sock_addr *ctx, __u32 hook)
{
	struct packet p = {};

	p.dst.words[0] = ctx->user_ip6[0];
	p.dst.words[1] = ctx->user_ip6[1];
	p.dst.words[2] = ctx->user_ip6[2];
	p.dst.words[3] = ctx->user_ip6[3];
	return judge_connect(ctx, &p, hook);
}

SEC("cgroup/connect4")
int sp_connect4(struct bpf_sock_addr *ctx)
{
	return judge_connect4(ctx, SP_HOOK_CONNECT);
}

SEC("cgroup/connect6")
int sp_connect6(struct bpf_sock_addr *ctx)
{
	return judge_connect6(ctx, SP_HOOK_CONNECT);
}

SEC("cgroup/sendmsg4")
int sp_sendmsg4(struct bpf_sock_addr *ctx)
{
	return judge_connect4(ctx, SP_HOOK_SENDMSG);
}

SEC("cgroup/sendmsg6")
int sp_sendmsg6(struct bpf_sock_addr *ctx)
{
	return judge_connect6(ctx, SP_HOOK_SENDMSG);
}

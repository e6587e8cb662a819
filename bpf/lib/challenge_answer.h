/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_CHALLENGE_ANSWER_H
#define SALLYPORT_LIB_CHALLENGE_ANSWER_H
/* Who is asked, whose answer is heard, and the frames that go back. */
#include "arrival.h"
#include "challenge.h"
#include "cookie_answer.h"

/* Is it what an owner could be asked about, and the frame one that can be turned? */
static __always_inline int may_be_asked(const struct packet *p, const struct finding *f)
{
	return p->proto == SP_PROTO_TCP && f->direction == SP_INGRESS && p->l3_offset >= 14 &&
	       p->l4_offset - p->l3_offset == (p->family == 4 ? 20u : 40u) &&
	       !(p->marks & (SP_PKT_FRAGMENT | SP_PKT_FIRST | SP_PKT_L2_GROUP)) && is_own(&p->dst);
}

static __always_inline __u64 ask_who_opens(const struct view *v, const struct packet *p,
					   const struct finding *f)
{
	__u32 flags = v->policy->flags;

	if (f->reason == SP_REASON_OVER_LIMIT)
		return flags & SP_SLOT_AFTER_LIMITS ? ask_for_proof(p, f->counter + 1) : 0;
	if (f->reason == SP_REASON_NO_RULE || f->reason == SP_REASON_DENIED)
		return flags & SP_SLOT_AFTER_PROBES ? ask_for_proof(p, SP_CHALLENGE_PROBE) : 0;
	return 0;
}

/* An ACK to a listener is only not refused since the stack can tell whether it opens something. */
static __always_inline int belongs_to_nothing(const struct packet *p, const struct finding *f)
{
	return (p->tcp_flags & (SP_TCP_SYN | SP_TCP_ACK | SP_TCP_RST)) == SP_TCP_ACK &&
	       (f->reason == SP_REASON_NO_FLOW || f->reason == SP_REASON_BAD_COOKIE ||
		(f->cookie == SP_COOKIE_BORNE && !f->opened));
}

/* SP_REPLY_*, or 0. What proves something is refused: it belongs to no connection. */
static __noinline __u64 reply_to(const struct reader *r, const struct view *v,
				 const struct packet *p, struct finding *f)
{
	__u64 reply;
	__be32 acknowledged;

	if (!v->policy || !(v->policy->flags & (SP_SLOT_AFTER_LIMITS | SP_SLOT_AFTER_PROBES)) ||
	    observing(v) || asking() || !may_be_asked(p, f))
		return 0;
	if (opens_tcp(p))
		return ask_who_opens(v, p, f);
	if (!belongs_to_nothing(p, f) || read_bytes(r, p->l4_offset + 8, &acknowledged, 4))
		return 0;
	reply = hear_proof(p, bpf_ntohl(acknowledged));
	if (reply)
		f->reason = SP_REASON_NO_FLOW;
	return reply;
}

static __always_inline void write_bare_ip(const struct packet *p, __u8 *ip)
{
	__builtin_memset(ip, 0, SP_IP_BYTES);
	if (p->family == 4) {
		ip[0] = 0x45;
		put16(ip + 2, 20 + SP_TCP_BYTES);
		ip[6] = 0x40; /* don't fragment */
		ip[8] = 64;
		ip[9] = SP_PROTO_TCP;
		__builtin_memcpy(ip + 12, &p->dst.words[3], 4);
		__builtin_memcpy(ip + 16, &p->src.words[3], 4);
		put16(ip + 10, fold(sum_of(ip, 20)));
		return;
	}
	ip[0] = 0x60;
	put16(ip + 4, SP_TCP_BYTES);
	ip[6] = SP_PROTO_TCP;
	ip[7] = 64;
	__builtin_memcpy(ip + 8, p->dst.bytes, 16);
	__builtin_memcpy(ip + 24, p->src.bytes, 16);
}

/* Window 0: there is nobody to take what would follow. No options, so nothing to agree on. */
static __always_inline void write_bare_tcp(const struct packet *p, __u8 *tcp, __u64 reply)
{
	__u32 seq = (__u32)tcp[4] << 24 | (__u32)tcp[5] << 16 | (__u32)tcp[6] << 8 | tcp[7];
	__u32 ack = (__u32)tcp[8] << 24 | (__u32)tcp[9] << 16 | (__u32)tcp[10] << 8 | tcp[11];
	int asks = (reply & SP_REPLY_ASK) != 0;

	__builtin_memset(tcp, 0, SP_TCP_BYTES);
	put16(tcp, p->dst_port);
	put16(tcp + 2, p->src_port);
	put32(tcp + 4, asks ? (__u32)reply : ack);
	put32(tcp + 8, asks ? seq + 1 : 0);
	tcp[12] = SP_TCP_BYTES / 4 << 4;
	tcp[13] = asks ? SP_TCP_SYN | SP_TCP_ACK : SP_TCP_RST;
	put16(tcp + 16, fold(sum_of(p->src.bytes, 16) + sum_of(p->dst.bytes, 16) + SP_PROTO_TCP +
			     SP_TCP_BYTES + sum_of(tcp, SP_TCP_BYTES)));
}

/* 1: the frame is the reply now. 0: it is what it was. */
static __noinline int turn_refused(const struct reader *r, const struct packet *p, __u64 reply,
				   struct synack *w)
{
	__u32 len = p->l4_offset + SP_TCP_BYTES;

	if (read_bytes(r, 0, w->macs, 12) ||
	    read_bytes(r, p->l4_offset, w->asked.header, SP_TCP_BYTES))
		return 0;
	write_bare_ip(p, w->ip);
	write_bare_tcp(p, w->asked.header, reply);
	len = len < SP_FRAME_LEAST ? SP_FRAME_LEAST : len;
	if (bpf_xdp_adjust_tail(r->ctx, (int)len - (int)r->len))
		return 0;
	bpf_xdp_store_bytes(r->ctx, 0, w->macs + 6, 6);
	bpf_xdp_store_bytes(r->ctx, 6, w->macs, 6);
	if (p->family == 4)
		bpf_xdp_store_bytes(r->ctx, p->l3_offset, w->ip, 20);
	else
		bpf_xdp_store_bytes(r->ctx, p->l3_offset, w->ip, SP_IP_BYTES);
	bpf_xdp_store_bytes(r->ctx, p->l4_offset, w->asked.header, SP_TCP_BYTES);
	return 1;
}

#endif

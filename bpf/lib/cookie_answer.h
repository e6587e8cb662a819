/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_COOKIE_ANSWER_H
#define SALLYPORT_LIB_COOKIE_ANSWER_H
/*
 * A SYN becomes the SYN+ACK with a cookie that the listener would have sent, and goes
 * back by the NIC that it came by. It offers what the listener is known to (offer.h).
 */
#include "synack.h"

#define SP_FRAME_LEAST 60u /* Ethernet's, without its checksum */

/* The cookie, or 0: there is no listener, or it has none to give. */
static __noinline __u32 cookie_of(struct xdp_md *ctx, const struct packet *p,
				  const struct sp_flow_key *key, struct synack *w, __u32 tcp_len)
{
	struct bpf_sock *listener = tcp_socket(ctx, key, 0); /* nobody's port: never a connection */
	__s64 got = -1;

	if (!listener)
		return 0;
	if (listener->state == SP_STATE_LISTEN) {
		got = bpf_tcp_gen_syncookie(listener, w->ip, p->family == 4 ? 20 : SP_IP_BYTES,
					    (struct tcphdr *)w->asked.header, tcp_len);
		recall_offer(listener, &w->listener, &w->offer);
	}
	bpf_sk_release(listener);
	return got < 0 ? 0 : (__u32)got;
}

/* 1: the frame is the answer now. 0: it is what it was. */
static __noinline int turn_syn(const struct reader *r, const struct packet *p,
			       const struct sp_flow_key *key, struct synack *w)
{
	__u32 ip_len = p->l4_offset - p->l3_offset, tcp_len, cookie, len, size;
	__u8 *tcp = w->asked.header;

	/* Options and extension headers no client sends; a link without addresses has none to turn.
	 */
	if (ip_len != (p->family == 4 ? 20 : 40) || p->l3_offset < 14)
		return 0;
	if (read_bytes(r, 0, w->macs, 12) || read_bytes(r, p->l4_offset, tcp, SP_TCP_BYTES))
		return 0;
	tcp_len = (tcp[12] >> 4) * 4u;
	barrier_var(tcp_len);
	/* At most 60 by its making; both bounds in one comparison 6.12's verifier does not follow.
	 */
	if (tcp_len < SP_TCP_BYTES || read_bytes(r, p->l4_offset, tcp, tcp_len) ||
	    (p->family == 4 ? read_bytes(r, p->l3_offset, w->ip, 20)
			    : read_bytes(r, p->l3_offset, w->ip, SP_IP_BYTES)))
		return 0;
	read_options(&w->asked);
	__builtin_memset(&w->listener, 0, sizeof(w->listener));
	w->listener.local = p->dst;
	w->listener.port = p->dst_port;
	w->listener.ifindex = r->ctx->ingress_ifindex;
	cookie = cookie_of(r->ctx, p, key, w, tcp_len);
	if (!cookie)
		return 0;
	size = write_tcp(r->ctx, p, w, cookie);
	write_ip(p, w->ip, size);
	len = p->l4_offset + size;
	len = len < SP_FRAME_LEAST ? SP_FRAME_LEAST : len;
	if (bpf_xdp_adjust_tail(r->ctx, (int)len - (int)r->len))
		return 0;
	/* Behind this nothing can fail: what it was is gone. */
	bpf_xdp_store_bytes(r->ctx, 0, w->macs + 6, 6);
	bpf_xdp_store_bytes(r->ctx, 6, w->macs, 6);
	if (p->family == 4)
		bpf_xdp_store_bytes(r->ctx, p->l3_offset, w->ip, 20);
	else
		bpf_xdp_store_bytes(r->ctx, p->l3_offset, w->ip, SP_IP_BYTES);
	if (size == SP_SYNACK_SCALED)
		bpf_xdp_store_bytes(r->ctx, p->l4_offset, tcp, SP_SYNACK_SCALED);
	else if (size == SP_SYNACK_STAMPED)
		bpf_xdp_store_bytes(r->ctx, p->l4_offset, tcp, SP_SYNACK_STAMPED);
	else
		bpf_xdp_store_bytes(r->ctx, p->l4_offset, tcp, SP_SYNACK_BYTES);
	return 1;
}

/*
 * Of a SYN that is to prove its source: 1 when its answer is to be sent back. Where
 * there is no cookie to give (no listener here, tcp_syncookies is not 2) what all share
 * decides, as if the rule had none: it is asked unless it was, and had nothing left.
 */
static __always_inline int answer_syn(const struct reader *r, const struct view *v,
				      struct finding *f, const struct packet *p,
				      const struct sp_flow_key *key, struct synack *w)
{
	if (!(f->cookie & SP_COOKIE_WANTED))
		return 0;
	if (!observing(v) && !asking() && turn_syn(r, p, key, w)) {
		if (!(f->cookie & SP_COOKIE_CALM))
			go_on_answering(f->counter);
		count(SP_COUNT_COOKIES_SENT);
		return 1;
	}
	if (f->cookie & SP_COOKIE_UNASKED)
		judge_beginning(v, p, f, 1);
	return 0;
}

#endif

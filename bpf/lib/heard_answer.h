/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_HEARD_ANSWER_H
#define SALLYPORT_LIB_HEARD_ANSWER_H
/*
 * Which of what arrives on a guarded NIC is an answer to a question that left by one. Here
 * and not at the cgroup, since this is where a flow that was opened from within is told
 * from a datagram that somebody sends unasked from port 53, whatever socket it is for; and
 * what boxes and routed machines asked is seen too. In a namespace of its own anybody
 * answers himself what he likes, and his sockets are in the cgroup as all others.
 */
#include "answer.h"
#include "settle.h"
#include "stand.h"

/* Of a packet that passes by what is known, not by a rule that lets its sender ask. */
static __always_inline int is_heard(const struct finding *f, const struct stand *s,
				    const struct packet *p)
{
	if (p->src_port != SP_DNS_PORT || p->proto != SP_PROTO_UDP || f->reason != SP_REASON_NONE)
		return 0;
	if (f->direction == SP_EGRESS)
		return 1;
	/* Routed: the stand was left as the opener's, the other end; behind NAT it has no turn. */
	return f->direction == SP_FORWARD &&
	       (!(s->write & SP_STAND_ROUTED) || same_addr(&s->key.remote, &p->dst));
}

/* Global, that the verifier looks at it once, not for each way that leads here. */
SP_GLOBAL int hear_answer(struct xdp_md *ctx, __u32 slot, __u32 l4, __u32 end)
{
	struct reader r = {.ctx = ctx};

	return keep_answer(&r, slot, l4, end);
}

#endif

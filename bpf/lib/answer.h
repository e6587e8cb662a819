/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_ANSWER_H
#define SALLYPORT_LIB_ANSWER_H
/*
 * DNS answers, copied for the daemon, which tells by them under what name this host
 * looked an address up. The verdict has been given and rests on nothing of it.
 */
#include "packet.h"
#include "report.h"

#define SP_DNS_PORT 53
#define SP_UDP_HEADER 8u

/* RFC 1035, 4.1.1. */
struct dns_header {
	__u16 id;
	__u8 kind; /* its highest bit: an answer */
	__u8 code; /* its lower half: 0, no error */
	__u8 questions[2];
	__u8 answers[2];
};

/* From the UDP header at `l4` to `end`: a message that answers something is copied. */
static __always_inline int keep_answer(const struct reader *r, __u32 slot, __u32 l4, __u32 end)
{
	__u32 at = l4 + SP_UDP_HEADER, len = end - at;
	struct dns_header header = {};
	struct sp_answer *answer;
	struct view v;

	if (asking() || view_of_slot(&v, slot) || !(v.policy->flags & SP_SLOT_NAMES))
		return 0;
	if (end <= at || read_bytes(r, at, &header, sizeof(header)))
		return 0;
	if (!(header.kind & 0x80) || header.code & 0xf || !(header.answers[0] | header.answers[1]))
		return 0;
	answer = take_credit(SP_CREDIT_ANSWERS, SP_ANSWERS_PER_SECOND)
		     ? bpf_ringbuf_reserve(&sp_answers, sizeof(*answer), 0)
		     : 0;
	if (!answer) {
		count(SP_COUNT_ANSWERS_LOST);
		return 0;
	}
	answer->at_ns = bpf_ktime_get_ns();
	answer->whole = len;
	if (len > SP_ANSWER_BYTES)
		len = SP_ANSWER_BYTES;
	answer->len = len;
	/* The mask changes nothing; before 6.18 the verifier does not see it by the above. */
	len--;
	barrier_var(len);
	len &= SP_ANSWER_BYTES - 1;
	if (read_bytes(r, at, answer->bytes, len + 1)) {
		bpf_ringbuf_discard(answer, BPF_RB_NO_WAKEUP);
		return 0;
	}
	/* It is read before any event, which may wake: no need to for this. */
	bpf_ringbuf_submit(answer, BPF_RB_NO_WAKEUP);
	count(SP_COUNT_ANSWERS_SENT);
	return 0;
}

#endif

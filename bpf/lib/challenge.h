/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_CHALLENGE_H
#define SALLYPORT_LIB_CHALLENGE_H
/*
 * Did the owner of an address send the SYN that bears it? It is answered by a SYN+ACK
 * whose sequence number only the secret gives; an ACK of that number is the handshake's
 * third step, which the owner's stack sends when it has sent the SYN, and not when
 * somebody else has: then it sends a RST, which tells nothing of the number. The
 * connection ends there, by a RST of ours. docs/adr/0010.
 *
 * A source's place knows one question at a time, and one answer is looked at: so who
 * guesses has a guess a second, however much he sends.
 */
#include "address.h"
#include "limit_key.h"
#include "maps.h"
#include "packet.h"
#include "report.h"
#include "siphash.h"

/* What a refused packet is answered with: in the upper half, below it the number. */
#define SP_REPLY_ASK (1ull << 32)   /* SYN+ACK, of this sequence number */
#define SP_REPLY_CLOSE (2ull << 32) /* RST */

#define SP_CHALLENGE_TRIED 1ull

static __always_inline struct sp_challenge *challenge_of(const struct sp_addr *source)
{
	/* As the limits: a /64 is one source. Behind NAT64 each address is. */
	__u64 low = is_mapped(source) || is_nat64(source) ? source->halves[1] : 0;
	__u64 h = sp_settings.secret[1];
	__u32 place;

	h = (h ^ source->halves[0]) * 0x9e3779b97f4a7c15ull;
	h ^= h >> 32;
	h = (h ^ low) * 0x9e3779b97f4a7c15ull;
	h ^= h >> 32;
	h = (h ^ sp_settings.secret[0]) * 0xd6e8feb86659fd93ull;
	place = (__u32)(h >> 32) % SP_CHALLENGES;
	return bpf_map_lookup_elem(&sp_challenges, &place);
}

/* The sequence number. In it: who, to whom, when he was asked, and for what. */
SP_GLOBAL __u32 challenge_number(const struct packet *p, __u64 asked, __u32 owner)
{
	struct siphash_text text = {};

	if (!p)
		return 0;
	text.words[0] = p->src.halves[0];
	text.words[1] = p->src.halves[1];
	text.words[2] = p->dst.halves[0];
	text.words[3] = p->dst.halves[1];
	text.words[4] = asked;
	text.words[5] = (__u64)p->src_port << 48 | (__u64)p->dst_port << 32 | owner;
	return (__u32)siphash_of(&text, sp_settings.secret[0], sp_settings.secret[1]);
}

/* One more probe of this place; is it one to ask about? A lost count costs a question. */
static __always_inline int is_worth_asking(struct sp_challenge *c)
{
	__u32 now = now_s();

	if (now - c->since_s >= SP_PROBES_SPAN_S) {
		c->since_s = now;
		c->seen = 0;
	}
	c->seen++;
	return c->seen > SP_PROBES_UNASKED;
}

/* Of a refused SYN: what it is answered with, or 0. */
SP_GLOBAL __u64 ask_for_proof(const struct packet *p, __u32 owner)
{
	struct sp_challenge *c;
	__u64 asked, now = sp_clock_ns() & ~SP_CHALLENGE_TRIED;

	if (!p)
		return 0;
	c = challenge_of(&p->src);
	if (!c)
		return 0;
	if (owner == SP_CHALLENGE_PROBE && !is_worth_asking(c))
		return 0;
	asked = *(volatile __u64 *)&c->asked;
	/* Signed: another CPU may have asked a tick "after" now. */
	if (asked && (__s64)(now - asked) < (__s64)SP_CHALLENGE_LIFE_NS)
		return 0;
	if (__sync_val_compare_and_swap(&c->asked, asked, now) != asked)
		return 0;
	*(volatile __u32 *)&c->owner = owner; /* an answer to another's question does not fit it */
	count(SP_COUNT_CHALLENGED);
	return SP_REPLY_ASK | challenge_number(p, now, owner);
}

static __always_inline void tell_proof(const struct packet *p, __u32 owner)
{
	struct sp_proof *proof = bpf_ringbuf_reserve(&sp_proofs, sizeof(*proof), 0);

	if (!proof) {
		count(SP_COUNT_PROOFS_LOST);
		return;
	}
	proof->at_ns = bpf_ktime_get_ns();
	proof->src = p->src;
	proof->dst = p->dst;
	proof->owner = owner;
	proof->src_port = p->src_port;
	proof->dst_port = p->dst_port;
	bpf_ringbuf_submit(proof, BPF_RB_NO_WAKEUP);
}

/* Of an ACK that belongs to nothing, and the number that it acknowledges. */
SP_GLOBAL __u64 hear_proof(const struct packet *p, __u32 acknowledged)
{
	struct sp_challenge *c;
	__u64 asked;
	__u32 owner;

	if (!p)
		return 0;
	c = challenge_of(&p->src);
	if (!c)
		return 0;
	asked = *(volatile __u64 *)&c->asked;
	owner = *(volatile __u32 *)&c->owner;
	if (!asked || asked & SP_CHALLENGE_TRIED || sp_clock_ns() - asked >= SP_CHALLENGE_LIFE_NS)
		return 0;
	/* From here on it is tried, right or wrong. */
	if (__sync_val_compare_and_swap(&c->asked, asked, asked | SP_CHALLENGE_TRIED) != asked)
		return 0;
	if (challenge_number(p, asked, owner) + 1 != acknowledged)
		return 0;
	__sync_val_compare_and_swap(&c->asked, asked | SP_CHALLENGE_TRIED, 0);
	tell_proof(p, owner);
	return SP_REPLY_CLOSE;
}

#endif

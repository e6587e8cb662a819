/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_SIPHASH_H
#define SALLYPORT_LIB_SIPHASH_H
/* SipHash-2-4 (Aumasson, Bernstein 2012): who sees what it gives learns nothing of the key. */
#include "base.h"

#define SP_SIPHASH_WORDS 6

struct siphash_text {
	__u64 words[SP_SIPHASH_WORDS];
};

struct siphash {
	__u64 v0, v1, v2, v3;
};

static __always_inline __u64 rotated(__u64 x, int by)
{
	return x << by | x >> (64 - by);
}

static __always_inline void sip_round(struct siphash *s)
{
	s->v0 += s->v1;
	s->v1 = rotated(s->v1, 13) ^ s->v0;
	s->v0 = rotated(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotated(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotated(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotated(s->v1, 17) ^ s->v2;
	s->v2 = rotated(s->v2, 32);
}

static __always_inline void sip_word(struct siphash *s, __u64 word)
{
	s->v3 ^= word;
	sip_round(s);
	sip_round(s);
	s->v0 ^= word;
}

static __always_inline __u64 siphash_of(const struct siphash_text *text, __u64 key0, __u64 key1)
{
	struct siphash s = {
	    .v0 = key0 ^ 0x736f6d6570736575ull,
	    .v1 = key1 ^ 0x646f72616e646f6dull,
	    .v2 = key0 ^ 0x6c7967656e657261ull,
	    .v3 = key1 ^ 0x7465646279746573ull,
	};

	for (int i = 0; i < SP_SIPHASH_WORDS; i++)
		sip_word(&s, text->words[i]);
	sip_word(&s, (__u64)(SP_SIPHASH_WORDS * 8) << 56);
	s.v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

#endif

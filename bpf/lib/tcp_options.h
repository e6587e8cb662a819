/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_TCP_OPTIONS_H
#define SALLYPORT_LIB_TCP_OPTIONS_H
/* The options of a segment with SYN, as the kernel reads them. Compiled natively too. */
#include "base.h"

#define SP_TCP_BYTES 20u
#define SP_TCP_MOST 60u

/* tcp_options.marks */
#define SP_TCP_HAS_SACK 1u
#define SP_TCP_HAS_STAMP 2u

/* In memory that the verifier does not follow: so all ways through the walk are one to it. */
struct tcp_options {
	__u32 at;    /* where the walk stands */
	__u32 stamp; /* TSval */
	__u16 mss;
	__u8 scale;	 /* window scale + 1; 0: there is none */
	__u8 marks;	 /* SP_TCP_HAS_* */
	__u8 header[76]; /* of TCP; behind the longest so much that nothing is read beyond */
};

static __always_inline __u32 get32(const __u8 *from)
{
	return (__u32)from[0] << 24 | (__u32)from[1] << 16 | (__u32)from[2] << 8 | from[3];
}

static __always_inline void take_option(struct tcp_options *o, __u32 at, __u32 len)
{
	const __u8 *option = o->header + at;

	if (option[0] == 2 && len == 4)
		o->mss = (__u16)(option[2] << 8 | option[3]);
	else if (option[0] == 3 && len == 3)
		o->scale = option[2] > 14 ? 15 : option[2] + 1; /* RFC 7323 */
	else if (option[0] == 4 && len == 2)
		o->marks |= SP_TCP_HAS_SACK;
	else if (option[0] == 8 && len == 10) {
		o->marks |= SP_TCP_HAS_STAMP;
		o->stamp = get32(option + 2);
	}
}

/* Fills in what stands before the header, which is there. What is cut off is none of them. */
SP_GLOBAL int read_options(struct tcp_options *o)
{
	__u32 end;

	if (!o)
		return 0;
	o->at = SP_TCP_BYTES;
	o->stamp = 0;
	o->mss = 0;
	o->scale = 0;
	o->marks = 0;
	end = (o->header[12] >> 4) * 4u;
	for (__u32 i = 0; i < SP_TCP_MOST - SP_TCP_BYTES; i++) {
		__u32 at = *(volatile __u32 *)&o->at & 63, len;

		if (at >= end || o->header[at] == 0)
			break;
		if (o->header[at] == 1) {
			o->at = at + 1;
			continue;
		}
		len = o->header[at + 1];
		if (len < 2 || at + len > end)
			break;
		take_option(o, at, len);
		o->at = at + len;
	}
	return 0;
}

#endif

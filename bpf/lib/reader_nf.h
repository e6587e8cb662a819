/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_READER_H
#define SALLYPORT_LIB_READER_H
/*
 * Bytes of an skb in a netfilter hook, from the IP header on. A dynptr (6.4) reads
 * linear and paged data alike.
 */
#include "kernel_types.h"

/* Weak: kernels before 6.4 lack it, and the program is not loaded there. */
extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags,
			       struct bpf_dynptr *ptr) __ksym __weak;

struct reader {
	struct sk_buff *ctx;
	__u32 len;
};

static __always_inline struct reader reader_of(struct sk_buff *skb)
{
	struct reader r = {.ctx = skb, .len = skb->len};

	return r;
}

/*
 * 0, or negative when the packet ends before. Not inlined: the compiler would give the
 * dynptr's place on the stack to something else, and the verifier would not have it.
 */
static __noinline int read_bytes(const struct reader *r, __u32 offset, void *to, __u32 len)
{
	struct bpf_dynptr bytes;

	if (bpf_dynptr_from_skb((struct __sk_buff *)r->ctx, 0, &bytes))
		return -1;
	return bpf_dynptr_read(to, len, &bytes, offset, 0) ? -1 : 0;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_READER_H
#define SALLYPORT_LIB_READER_H
/*
 * Bytes of an skb. By copy: under 6.1 BPF_PROG_TEST_RUN shows cgroup_skb
 * programs an empty packet through skb->data, while this reads it right.
 */
#include "base.h"

struct reader {
	struct __sk_buff *ctx;
	__u32 len;
};

static __always_inline struct reader reader_of(struct __sk_buff *ctx)
{
	struct reader r = {.ctx = ctx, .len = ctx->len};

	return r;
}

/* 0, or negative when the packet ends before. */
static __always_inline int read_bytes(const struct reader *r, __u32 offset, void *to, __u32 len)
{
	return bpf_skb_load_bytes(r->ctx, offset, to, len) ? -1 : 0;
}

#endif

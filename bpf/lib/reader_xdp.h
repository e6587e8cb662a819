/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_READER_H
#define SALLYPORT_LIB_READER_H
/* Bytes of a frame, as XDP has them: linear or in several buffers (5.18). */
#include "base.h"

struct reader {
	struct xdp_md *ctx;
	__u32 len; /* of the whole frame, all buffers */
};

static __always_inline struct reader reader_of(struct xdp_md *ctx)
{
	struct reader r = {.ctx = ctx, .len = (__u32)bpf_xdp_get_buff_len(ctx)};

	return r;
}

/* 0, or negative when the frame ends before. */
static __always_inline int read_bytes(const struct reader *r, __u32 offset, void *to, __u32 len)
{
	return bpf_xdp_load_bytes(r->ctx, offset, to, len) ? -1 : 0;
}

#endif

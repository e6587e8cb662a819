/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_CAPTURE_H
#define SALLYPORT_LIB_CAPTURE_H
/*
 * The beginning of a packet that was told of, for who wants to see it. Included after a
 * reader. Without an event there is no capture: the events' credit bounds both.
 */
#include "sallyport/abi/capture.h"
#include "settle.h"

/* Of two sizes, because a reservation's must be known to the verifier. */
struct few_bytes {
	struct sp_capture_head head;
	__u8 bytes[SP_CAPTURE_FEW];
};

struct many_bytes {
	struct sp_capture_head head;
	__u8 bytes[SP_CAPTURE_MAX];
};

/* 1 to `room`, a power of two, in a way that every verifier follows: 6.1 does not learn from != 0.
 */
static __always_inline __u32 within(__u32 keep, __u32 room)
{
	__u32 index = keep - 1;

	barrier_var(index);
	return (index & (room - 1)) + 1;
}

static __always_inline void begin_capture(struct sp_capture_head *head, __u64 told, __u32 len,
					  __u32 keep, __u32 layer)
{
	__builtin_memset(head, 0, sizeof(*head));
	head->at_ns = told_at(told);
	head->len = len;
	head->cpu = (__u16)bpf_get_smp_processor_id();
	head->kept = (__u16)keep;
	head->version = SP_LAYOUT;
	head->layer = (__u8)layer;
}

static __always_inline void keep_few(const struct reader *r, __u64 told, __u32 keep, __u32 layer)
{
	struct few_bytes *c = bpf_ringbuf_reserve(&sp_captures, sizeof(*c), 0);

	if (!c) {
		count(SP_COUNT_CAPTURES_LOST);
		return;
	}
	begin_capture(&c->head, told, r->len, keep, layer);
	if (read_bytes(r, 0, c->bytes, within(keep, sizeof(c->bytes))))
		bpf_ringbuf_discard(c, BPF_RB_NO_WAKEUP);
	else
		bpf_ringbuf_submit(c, BPF_RB_NO_WAKEUP);
}

static __always_inline void keep_many(const struct reader *r, __u64 told, __u32 keep, __u32 layer)
{
	struct many_bytes *c = bpf_ringbuf_reserve(&sp_captures, sizeof(*c), 0);

	if (!c) {
		count(SP_COUNT_CAPTURES_LOST);
		return;
	}
	begin_capture(&c->head, told, r->len, keep, layer);
	if (read_bytes(r, 0, c->bytes, within(keep, sizeof(c->bytes))))
		bpf_ringbuf_discard(c, BPF_RB_NO_WAKEUP);
	else
		bpf_ringbuf_submit(c, BPF_RB_NO_WAKEUP);
}

/* `told` is settle()'s answer, which is returned: the verifier must see a result used. */
static __noinline __u64 keep_capture(const struct reader *r, const struct view *v, __u64 told,
				     __u32 layer)
{
	__u32 keep = v->policy ? v->policy->capture_bytes : SP_CAPTURE_FEW;

	if (keep > r->len)
		keep = r->len;
	if (keep == 0)
		return told;
	if (keep <= SP_CAPTURE_FEW) {
		keep_few(r, told, keep, layer);
		return told;
	}
	if (keep > SP_CAPTURE_MAX)
		keep = SP_CAPTURE_MAX;
	keep_many(r, told, keep, layer);
	return told;
}

static __always_inline __u32 layer_of(const struct sp_iface *iface)
{
	return iface->link == SP_LINK_ETHERNET ? SP_CAPTURE_FRAME : SP_CAPTURE_IP;
}

/* settle(), and what it told of is kept. 1: let it go on. */
static __always_inline int settle_seen(const struct reader *r, const struct view *v,
				       const struct scene *s, struct finding *f,
				       const struct packet *p, const struct sp_owner *owner,
				       __u32 layer)
{
	__u64 told = settle(v->slot, s, f, p, owner);

	if (told_at(told))
		told = keep_capture(r, v, told, layer);
	return told & SP_PASSES;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_PEER_COUNT_H
#define SALLYPORT_LIB_PEER_COUNT_H
/*
 * What becomes of a source's count, under its set's lock: a handshake takes a place, the
 * place becomes a socket's, the socket ends. A recount (`round`) goes over all sockets that
 * are counted while this goes on; whatever opens and ends meanwhile keeps its `seen` right.
 */
#include "peer_set.h"

/* Gives up the place that was taken at `since`, if it still counts. */
static __always_inline void leave_place(struct sp_peer *p, __u32 since, __u32 now)
{
	__u32 slot = since & (SP_PEER_SECONDS - 1);

	if (now - since < SP_PEER_SECONDS && p->begun[slot])
		p->begun[slot]--;
}

/*
 * A handshake takes a place, in exchange for that which it had `since`, if it had one (0);
 * 0: the source has `most`, or the set is full.
 */
static __always_inline int take_place_locked(struct sp_peer_set *set,
					     const struct sp_bucket_key *key, __u32 most,
					     __u32 since, __u32 now)
{
	struct sp_peer *p = entered_peer(set, key, now);

	if (!p)
		return 0;
	now = forget_begun(p, now);
	if (since)
		leave_place(p, since, now);
	if (p->open + begun_by(p) >= most)
		return 0;
	p->begun[now & (SP_PEER_SECONDS - 1)]++;
	return 1;
}

static __always_inline void follow_round(struct sp_peer *p, __u32 round)
{
	if ((__s32)(round - p->round) <= 0)
		return;
	p->round = round;
	p->seen = 0;
}

/* The handshake that took a place at `since` is a socket; 0: there is no room to count it. */
static __always_inline int open_locked(struct sp_peer_set *set, struct sp_counted *c, __u32 since,
				       __u32 round, __u32 now)
{
	struct sp_peer *p = entered_peer(set, &c->peer, now);

	if (!p)
		return 0;
	now = forget_begun(p, now);
	leave_place(p, since, now);
	follow_round(p, round);
	p->open++;
	p->seen++;
	c->round = p->round;
	c->state = SP_COUNTED_OPEN;
	return 1;
}

/* Its socket is gone. Twice is once. */
static __always_inline void end_locked(struct sp_peer_set *set, struct sp_counted *c)
{
	__u32 i = peer_of(set, &c->peer);
	struct sp_peer *p;

	if (c->state != SP_COUNTED_OPEN)
		return;
	c->state = SP_COUNTED_ENDED;
	if (i >= SP_PEER_WAYS)
		return;
	p = &set->peers[i];
	if (p->open)
		p->open--;
	if (p->seen && p->round == c->round)
		p->seen--;
}

/* A recount comes by a socket that is counted. */
static __always_inline void see_locked(struct sp_peer_set *set, struct sp_counted *c, __u32 round,
				       __u32 now)
{
	struct sp_peer *p;

	if (c->state != SP_COUNTED_OPEN)
		return;
	p = entered_peer(set, &c->peer, now);
	if (!p)
		return;
	follow_round(p, round);
	if (c->round != p->round)
		p->seen++;
	c->round = p->round;
}

/* A recount has come by all: what it has seen is what there is. */
static __always_inline void settle_locked(struct sp_peer_set *set, __u32 round)
{
	for (__u32 i = 0; i < SP_PEER_WAYS; i++) {
		struct sp_peer *p = &set->peers[i];
		__u64 older = ((__u64)p->round - round) >> 63;

		barrier_var(older);
		p->open = p->seen & (__u32)(older - 1);
	}
}

#endif

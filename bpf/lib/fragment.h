/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_FRAGMENT_H
#define SALLYPORT_LIB_FRAGMENT_H
/*
 * essentials.fragments = "track": a first fragment is judged as a packet, the
 * later ones follow it. Only an admitted first makes an entry, so what no rule
 * allows cannot fill the table.
 *
 * Senders cut a datagram into equal pieces, the last one shorter. So the
 * length of the first is the step of all: a later fragment lies on a multiple
 * of it, is as long or is the last, and was not seen before. That is exact,
 * takes a bit for each piece, and keeps later ones off the first one's headers
 * whatever the receiver makes of overlaps. What is dropped for it: a fragment
 * that comes before its first, and one that a router cut into unequal pieces.
 */
#include "essential.h"
#include "fragment_pieces.h"
#include "settle.h"

/* A fragment, and the entry it makes or follows. */
struct fragment {
	struct piece piece;
	struct sp_fragment entry;
};

/* Is this a fragment that the policy wants looked into? */
static __always_inline int is_tracked(const struct view *v, const struct packet *p)
{
	return p->marks & SP_PKT_FRAGMENT && v->policy->flags & SP_SLOT_FRAGMENTS;
}

/*
 * What nobody sends in fragments, not in an atomic one either: neighbour
 * discovery (RFC 6980) and its like, and ICMP errors, which are cut to fit.
 */
static __always_inline int must_be_whole(const struct packet *p)
{
	return is_icmp_error(p) || is_neighbour_message(p) || is_group_message(p) || is_redirect(p);
}

static __always_inline enum sp_reason check_piece(const struct reader *r, struct packet *p,
						  struct piece *piece)
{
	enum sp_reason reason = parse_piece(r, p, piece);

	if (reason)
		return reason;
	return must_be_whole(p) ? SP_REASON_FRAGMENT : SP_REASON_NONE;
}

static __always_inline void fragment_key_of(struct fragment *g, const struct view *v,
					    const struct packet *p, __u32 ifindex, int leaving)
{
	struct sp_fragment_key *key = &g->entry.key;

	key->src = p->src;
	key->dst = p->dst;
	key->id = g->piece.id;
	key->ifindex = ifindex;
	key->generation = v->policy->generation;
	key->proto = p->family == 4 ? p->proto : 0;
	key->family = p->family;
	key->leaving = (__u8)leaving;
	key->spare = 0;
}

/* A later fragment, judged by the first that it follows. */
static __noinline void judge_later(const struct view *v, const struct packet *p, struct fragment *g,
				   __u32 ifindex, int leaving, struct finding *f)
{
	struct followed first = {};

	fragment_key_of(g, v, p, ifindex, leaving);
	f->reason = (enum sp_reason)follow_fragment(&g->entry.key, &g->piece, &first);
	if (f->reason == SP_REASON_FRAGMENT_ORPHAN)
		return;
	f->direction = first.direction;
	f->rule = first.rule;
	f->counter = first.counter;
	f->by_rule = first.rule != 0;
}

/* After a fragment was admitted as a packet: when more follow, they may. */
static __noinline void keep_first(const struct view *v, const struct packet *p, struct fragment *g,
				  __u32 ifindex, int leaving, struct finding *f)
{
	fragment_key_of(g, v, p, ifindex, leaving);
	g->entry.since_ns = bpf_ktime_get_coarse_ns();
	g->entry.pieces[0] = 1;
	g->entry.counter = f->counter;
	g->entry.rule = f->by_rule ? (__u16)f->rule : 0;
	g->entry.step = (__u16)g->piece.len;
	g->entry.src_port = p->src_port;
	g->entry.dst_port = p->dst_port;
	g->entry.proto = p->proto;
	g->entry.direction = (__u8)f->direction;
	f->reason = (enum sp_reason)enter_fragment(&g->entry);
}

#endif

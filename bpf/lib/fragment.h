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
 *
 * In the loops over a set no branches, as in flow.h.
 */
#include "essential.h"
#include "flow.h"
#include "parse_fragment.h"
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

static __always_inline __u32 fragment_set_of(const struct sp_fragment_key *key)
{
	const __u64 *words = (const __u64 *)key;
	__u64 h = sp_settings.secret[1];

	for (int i = 0; i < 6; i++) {
		h = (h ^ words[i]) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 32;
	}
	h = (h ^ sp_settings.secret[0]) * 0xd6e8feb86659fd93ull;
	return (__u32)(h >> 32) % SP_FRAGMENT_SETS;
}

static __always_inline __u64 is_same_datagram(const struct sp_fragment_key *a,
					      const struct sp_fragment_key *b)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

	return is_zero((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) |
		       (x[4] ^ y[4]) | (x[5] ^ y[5]));
}

/* Its two seconds are over; also true of a free entry. */
static __always_inline __u64 is_gone(const struct sp_fragment *f, __u64 now)
{
	/* Signed: another CPU may have entered it a tick "after" now. */
	__u64 over = SP_FRAGMENT_LIFE_NS - (now - f->since_ns);

	barrier_var(over);
	over >>= 63;
	barrier_var(over);
	return over | is_zero(f->since_ns);
}

/* Which entries of a set are of the key's datagram, and which are free; a bit each. */
static __always_inline __u64 find_entries(const struct sp_fragment_set *set,
					  const struct sp_fragment_key *key, __u64 now, __u64 *gone)
{
	__u64 same = 0, free = 0;

	for (int i = 0; i < SP_FRAGMENT_WAYS; i++) {
		const struct sp_fragment *f = &set->entries[i];
		__u64 is_free = is_gone(f, now) & 1;

		same |= (is_same_datagram(&f->key, key) & ~is_free & 1) << i;
		free |= is_free << i;
	}
	*gone = free;
	return same;
}

/* Under the lock. The first of two firsts stands, as it does in the stack. */
static __always_inline enum sp_reason enter_locked(struct sp_fragment_set *set,
						   const struct sp_fragment *first, int write)
{
	const struct sp_fragment *known;
	__u64 same, gone;

	same = find_entries(set, &first->key, first->since_ns, &gone);
	if (same) {
		known = &set->entries[lowest_of(same) & (SP_FRAGMENT_WAYS - 1)];
		return known->src_port == first->src_port && known->dst_port == first->dst_port &&
			       known->proto == first->proto
			   ? SP_REASON_FRAGMENT_OVERLAP
			   : SP_REASON_FRAGMENT_CONFLICT;
	}
	if (!gone)
		return SP_REASON_FRAGMENT_FULL;
	if (write)
		set->entries[lowest_of(gone) & (SP_FRAGMENT_WAYS - 1)] = *first;
	return SP_REASON_NONE;
}

/* Enters an admitted first fragment; or why it may not pass after all. */
SP_GLOBAL int enter_fragment(const struct sp_fragment *first)
{
	struct sp_fragment_set *set;
	enum sp_reason reason;
	int write = !asking();
	__u32 index;

	if (!first)
		return SP_REASON_INTERNAL;
	index = fragment_set_of(&first->key);
	set = bpf_map_lookup_elem(&sp_fragments, &index);
	if (!set)
		return SP_REASON_INTERNAL;
	bpf_spin_lock(&set->lock);
	reason = enter_locked(set, first, write);
	bpf_spin_unlock(&set->lock);
	return (int)reason;
}

/* All bits of the pieces 0 to `last` that lie in one word, which begins at bit 0 of `last`. */
static __always_inline __u64 bits_to(__u32 last)
{
	return (2ull << last) - 1; /* 2 << 63 is 0: all of them */
}

/* Marks the piece as seen; the entry is free when that was all. */
static __always_inline void mark_piece(struct sp_fragment *f, __u32 number, int more)
{
	__u64 low, high;

	f->pieces[number >> 6 & 1] |= 1ull << (number & 63);
	if (!more)
		f->last = (__u8)number;
	if (!f->last)
		return;
	low = f->last > 63 ? ~0ull : bits_to(f->last & 63);
	high = f->last > 63 ? bits_to(f->last & 63) : 0;
	if (f->pieces[0] == low && f->pieces[1] == high)
		f->since_ns = 0;
}

/* Under the lock: may this piece stand beside those that were seen? */
static __always_inline enum sp_reason place_piece(struct sp_fragment *f, const struct piece *piece,
						  int write)
{
	__u32 step = f->step, number;
	__u64 seen, behind;

	if (step == 0)
		return SP_REASON_FRAGMENT_OVERLAP;
	number = piece->offset / step;
	if (number * step != piece->offset || number >= SP_FRAGMENT_PIECES || number == 0 ||
	    (piece->more ? piece->len != step : piece->len > step))
		return SP_REASON_FRAGMENT_OVERLAP;
	/* Nothing comes behind the last, and there is but one. */
	if (f->last && (number > f->last || !piece->more))
		return SP_REASON_FRAGMENT_OVERLAP;
	seen = number > 63 ? f->pieces[1] : f->pieces[0];
	behind = seen & ~bits_to(number & 63);
	if (number <= 63)
		behind |= f->pieces[1];
	if (seen >> (number & 63) & 1 || (!piece->more && behind))
		return SP_REASON_FRAGMENT_OVERLAP;
	if (write)
		mark_piece(f, number, piece->more);
	return SP_REASON_NONE;
}

/* How a first was judged, for those that follow it. */
struct followed {
	__u32 counter;
	__u16 rule;
	__u8 direction;
	__u8 spare;
};

static __always_inline enum sp_reason follow_locked(struct sp_fragment_set *set,
						    const struct sp_fragment_key *key,
						    const struct piece *piece, __u64 now, int write,
						    struct followed *first)
{
	struct sp_fragment *f;
	__u64 same, gone;

	same = find_entries(set, key, now, &gone);
	if (!same)
		return SP_REASON_FRAGMENT_ORPHAN;
	f = &set->entries[lowest_of(same) & (SP_FRAGMENT_WAYS - 1)];
	first->counter = f->counter;
	first->rule = f->rule;
	first->direction = f->direction;
	return place_piece(f, piece, write);
}

/* A later fragment: none when it follows an admitted first one, else why it may not pass. */
SP_GLOBAL int follow_fragment(const struct sp_fragment_key *key, const struct piece *piece,
			      struct followed *first)
{
	__u64 now = bpf_ktime_get_coarse_ns();
	struct sp_fragment_set *set;
	enum sp_reason reason;
	int write = !asking();
	__u32 index;

	if (!key || !piece || !first)
		return SP_REASON_INTERNAL;
	index = fragment_set_of(key);
	set = bpf_map_lookup_elem(&sp_fragments, &index);
	if (!set)
		return SP_REASON_INTERNAL;
	bpf_spin_lock(&set->lock);
	reason = follow_locked(set, key, piece, now, write, first);
	bpf_spin_unlock(&set->lock);
	return (int)reason;
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

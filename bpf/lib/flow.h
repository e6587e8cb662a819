/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_FLOW_H
#define SALLYPORT_LIB_FLOW_H
/*
 * The flow table. State is only born of what the host itself sends or of a
 * socket that exists, never of a stranger's packet. Each flow has two candidate
 * sets of eight by a hash with a secret; the lock of a set guards its entries
 * (it disables interrupts, so XDP on top of TC on the same CPU cannot deadlock;
 * kernels and architectures all have it, which cannot be said of a sequence
 * count without read barriers). A tag line is read without the lock: it only
 * says where not to look.
 */
#include "packet.h"
#include "view.h"

#define SP_FLOW_IDLE_OPENING 60u /* not answered yet */
#define SP_FLOW_IDLE_CLOSING 120u
#define SP_FLOW_IDLE_RESET 10u

struct flow_place {
	__u32 sets[2];
	__u8 tag; /* never 0 */
};

/* What is known of a flow; generation 0: nothing. */
struct flow_facts {
	__u32 generation;
	__u32 counter;
	__u16 rule;
	__u8 direction;
	__u8 state;
};

static __always_inline struct flow_place flow_place_of(const struct sp_flow_key *key)
{
	const __u64 *words = (const __u64 *)key;
	__u64 h = sp_settings.secret[0];
	struct flow_place place;
	__u32 sets = sp_settings.flow_sets;

	for (int i = 0; i < 5; i++) {
		h = (h ^ words[i]) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 32;
	}
	h = (h ^ sp_settings.secret[1]) * 0xd6e8feb86659fd93ull;
	h ^= h >> 29;
	/* Multiply-shift instead of a remainder: any number of sets, no division. */
	place.sets[0] = (__u32)((h & 0xffffffff) * sets >> 32);
	place.sets[1] = (__u32)((h >> 32) * sets >> 32);
	/* Of the low bits: the sets are made of the high ones of both halves. */
	place.tag = (__u8)h | 1;
	return place;
}

/*
 * The loops over a set are free of branches: the verifier would follow each of
 * eight entries both ways, 2^8 paths a loop (6.18 needs minutes for that). The
 * barriers keep clang from making the branches again.
 */
static __always_inline __u64 is_zero(__u64 x)
{
	__u64 any = -x;

	barrier_var(any);
	any = (x | any) >> 63;
	barrier_var(any);
	return any ^ 1;
}

static __always_inline __u64 is_same_key(const struct sp_flow_key *a, const struct sp_flow_key *b)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

	return is_zero((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) |
		       (x[4] ^ y[4]));
}

static __always_inline __u64 is_free(const struct sp_flow *f)
{
	return is_zero(f->idle_s);
}

/* Its life is over; also true of a free entry. */
static __always_inline __u64 is_over(const struct sp_flow *f, __u32 now)
{
	/* Signed: a CPU whose clock has just ticked may have seen it a second "after" now. */
	__u64 over = (__u64)f->idle_s - (__u64)(__s64)(__s32)(now - f->seen_s);

	barrier_var(over);
	over >>= 63;
	barrier_var(over);
	return over | is_free(f);
}

/* Index of the lowest bit set among the lowest eight; 0 when there is none. */
static __always_inline __u32 lowest_of(__u64 mask)
{
	__u64 low = mask & -mask;

	return (__u32)((is_zero(low & 0xaa) ^ 1) | (is_zero(low & 0xcc) ^ 1) << 1 |
		       (is_zero(low & 0xf0) ^ 1) << 2);
}

/* Does any byte of the tag line equal the tag? May say yes for a near miss, never no for a hit. */
static __always_inline int may_hold(__u64 tags, __u8 tag)
{
	__u64 x = tags ^ tag * 0x0101010101010101ull;

	return ((x - 0x0101010101010101ull) & ~x & 0x8080808080808080ull) != 0;
}

/* What a packet does to the flow it belongs to. */
struct flow_touch {
	__u32 now;
	__u32 idle_s;	/* for a confirmed flow that is not closing */
	__u8 confirm;	/* this is the other side's first word */
	__u8 tcp_flags; /* FIN and RST shorten the life */
	__u8 write;	/* 0: look only */
	__u8 spare;
	__u32 generation; /* not 0: a relayed flow of another one is not renewed */
};

static __always_inline void touch_flow(struct sp_flow *f, const struct flow_touch *t)
{
	if (!t->write)
		return;
	if (t->generation && f->direction == SP_FORWARD && f->generation != t->generation)
		return;
	f->seen_s = t->now;
	if (t->confirm && !(f->state & SP_FLOW_CONFIRMED)) {
		f->state |= SP_FLOW_CONFIRMED;
		f->idle_s = t->idle_s;
	}
	if (t->tcp_flags & SP_TCP_RST) {
		f->state |= SP_FLOW_CLOSING;
		f->idle_s = SP_FLOW_IDLE_RESET;
	} else if (t->tcp_flags & SP_TCP_FIN && !(f->state & SP_FLOW_CLOSING)) {
		f->state |= SP_FLOW_CLOSING;
		f->idle_s = SP_FLOW_IDLE_CLOSING;
	}
}

static __always_inline int find_in_set(__u32 index, const struct sp_flow_key *key, __u8 tag,
				       const struct flow_touch *t, struct flow_facts *facts)
{
	struct sp_flow_set *set = bpf_map_lookup_elem(&sp_flows, &index);
	struct sp_flow *f;
	__u64 hits = 0;

	if (!set || !may_hold(*(volatile __u64 *)&set->tags, tag))
		return 0;
	bpf_spin_lock(&set->lock);
	for (int i = 0; i < SP_FLOW_WAYS; i++)
		hits |=
		    (is_same_key(&set->flows[i].key, key) & ~is_over(&set->flows[i], t->now) & 1)
		    << i;
	if (hits) {
		f = &set->flows[lowest_of(hits) & (SP_FLOW_WAYS - 1)];
		touch_flow(f, t);
		facts->generation = f->generation;
		facts->counter = f->counter;
		facts->rule = f->rule;
		facts->direction = f->direction;
		facts->state = f->state;
	}
	bpf_spin_unlock(&set->lock);
	return hits != 0;
}

/* 1 and the facts when the flow is known and alive. */
SP_GLOBAL int find_flow(const struct sp_flow_key *key, const struct flow_touch *t,
			struct flow_facts *facts)
{
	struct flow_place place;

	if (!key || !t || !facts)
		return 0;
	place = flow_place_of(key);
	facts->generation = 0;
	facts->counter = 0;
	facts->rule = 0;
	facts->direction = SP_INGRESS;
	facts->state = 0;
	if (sp_settings.forget_flows)
		return 0;
	return find_in_set(place.sets[0], key, place.tag, t, facts) ||
	       find_in_set(place.sets[1], key, place.tag, t, facts);
}

static __always_inline __u64 load_of(const struct sp_flow_set *set, __u32 now)
{
	__u64 live = SP_FLOW_WAYS;

	for (int i = 0; i < SP_FLOW_WAYS; i++)
		live -= is_over(&set->flows[i], now);
	return live;
}

enum put_result { PUT_FULL = 0, PUT_FRESH = 1, PUT_REPLACED = 2 };

/* Entries by what they are good for, a bit each. */
struct put_choice {
	__u64 same;
	__u64 expired;
	__u64 free;
	__u64 unanswered;
};

static __always_inline void look_at(const struct sp_flow *f, const struct sp_flow *flow, int i,
				    struct put_choice *c)
{
	__u64 free = is_free(f);

	c->same |= (is_same_key(&f->key, &flow->key) & ~free & 1) << i;
	c->expired |= (is_over(f, flow->seen_s) & ~free & 1) << i;
	c->free |= free << i;
	c->unanswered |= (__u64)(~f->state & SP_FLOW_CONFIRMED) << i;
}

/* What a flow may take beside an expired entry. */
enum put_taking {
	TAKE_FREE = 0,
	TAKE_NOTHING = 1,    /* the table as a whole is full */
	TAKE_UNANSWERED = 2, /* for a confirmed flow: one that nobody has answered */
};

/* Under the lock: over the entry of the same key, else an expired one, else what it may take. */
static __always_inline enum put_result
put_locked(struct sp_flow_set *set, const struct sp_flow *flow, __u8 tag, enum put_taking taking)
{
	enum put_result result = PUT_REPLACED;
	struct put_choice c = {};
	__u64 pick;
	__u32 i;

	for (int at = 0; at < SP_FLOW_WAYS; at++)
		look_at(&set->flows[at], flow, at, &c);
	pick = c.same ? c.same : c.expired;
	if (!pick && taking == TAKE_FREE) {
		pick = c.free;
		result = PUT_FRESH;
	}
	if (!pick && taking == TAKE_UNANSWERED)
		pick = c.unanswered & ~c.free;
	if (!pick)
		return PUT_FULL;
	i = lowest_of(pick) & (SP_FLOW_WAYS - 1);
	set->flows[i] = *flow;
	set->tags = (set->tags & ~(0xffull << (8 * i))) | (__u64)tag << (8 * i);
	return result;
}

static __always_inline enum put_result
put_in_set(struct sp_flow_set *set, const struct sp_flow *flow, __u8 tag, enum put_taking taking)
{
	enum put_result result;

	bpf_spin_lock(&set->lock);
	result = put_locked(set, flow, tag, taking);
	bpf_spin_unlock(&set->lock);
	return result;
}

/* Overwrites the live or expired entry of the same flow. 0 when the set has none. */
static __always_inline int renew_in_set(struct sp_flow_set *set, const struct sp_flow *flow)
{
	struct put_choice c = {};
	__u32 i;

	bpf_spin_lock(&set->lock);
	for (int at = 0; at < SP_FLOW_WAYS; at++)
		look_at(&set->flows[at], flow, at, &c);
	i = lowest_of(c.same) & (SP_FLOW_WAYS - 1);
	if (c.same)
		set->flows[i] = *flow;
	bpf_spin_unlock(&set->lock);
	return c.same != 0;
}

/*
 * Enters a flow, or renews the one that is there. 0 when both sets, or the
 * table, are full of live flows: the caller refuses the packet by name.
 */
SP_GLOBAL int put_flow(const struct sp_flow *flow)
{
	struct sp_flow_set *a, *b, *set;
	struct flow_place place;
	enum put_result result;
	enum put_taking taking;
	__u32 zero = 0;
	__u64 *count;

	if (!flow)
		return 0;
	place = flow_place_of(&flow->key);
	a = bpf_map_lookup_elem(&sp_flows, &place.sets[0]);
	b = bpf_map_lookup_elem(&sp_flows, &place.sets[1]);
	if (!a || !b || sp_settings.flow_sets == 0)
		return 0;
	/* It may stand in either; entered twice, the older entry would outlive the flow. */
	if ((may_hold(a->tags, place.tag) && renew_in_set(a, flow)) ||
	    (may_hold(b->tags, place.tag) && renew_in_set(b, flow)))
		return 1;
	count = bpf_map_lookup_elem(&sp_flow_count, &zero);
	if (!count)
		return 0;
	set = load_of(a, flow->seen_s) <= load_of(b, flow->seen_s) ? a : b;
	taking = *count >= sp_settings.flow_max ? TAKE_NOTHING : TAKE_FREE;
	result = put_in_set(set, flow, place.tag, taking);
	if (result == PUT_FULL)
		result = put_in_set(set == a ? b : a, flow, place.tag, taking);
	if (result == PUT_FULL && flow->state & SP_FLOW_CONFIRMED)
		result = put_in_set(set, flow, place.tag, TAKE_UNANSWERED);
	if (result == PUT_FULL && flow->state & SP_FLOW_CONFIRMED)
		result = put_in_set(set == a ? b : a, flow, place.tag, TAKE_UNANSWERED);
	if (result == PUT_FRESH)
		__sync_fetch_and_add(count, 1);
	return result != PUT_FULL;
}

/*
 * Opened from outside, or for a flow of this host's own also routed: its rule, or its
 * socket, readmits it.
 */
static __always_inline __u64 gives_way(const struct sp_flow *f, const struct sp_flow *to)
{
	__u64 routed = is_zero(f->direction ^ SP_FORWARD) & is_zero(to->direction ^ SP_EGRESS);

	return (is_zero(f->direction ^ SP_INGRESS) | routed) &
	       (is_zero(f->generation ^ SP_GENERATION_KEPT) ^ 1) & (is_free(f) ^ 1);
}

static __always_inline int take_in_set(__u32 index, const struct sp_flow *flow, __u8 tag)
{
	struct sp_flow_set *set = bpf_map_lookup_elem(&sp_flows, &index);
	__u64 asked = 0;
	__u32 i;

	if (!set)
		return 0;
	bpf_spin_lock(&set->lock);
	for (int at = 0; at < SP_FLOW_WAYS; at++)
		asked |= gives_way(&set->flows[at], flow) << at;
	if (asked) {
		i = lowest_of(asked) & (SP_FLOW_WAYS - 1);
		set->flows[i] = *flow;
		set->tags = (set->tags & ~(0xffull << (8 * i))) | (__u64)tag << (8 * i);
	}
	bpf_spin_unlock(&set->lock);
	return asked != 0;
}

/*
 * For a flow that this host opens, or routes, and that found no room: it takes the place
 * of one that was opened from outside, or, if it is the host's own, of a routed one. Whoever
 * floods a service that answers, or a box that may send anything, makes entries, and must
 * not shut the way out. 0 when there is none.
 */
SP_GLOBAL int take_place(const struct sp_flow *flow)
{
	struct flow_place place;

	if (!flow)
		return 0;
	place = flow_place_of(&flow->key);
	return take_in_set(place.sets[0], flow, place.tag) ||
	       take_in_set(place.sets[1], flow, place.tag);
}

/* Frees what has expired in one set. */
SP_GLOBAL int sweep_set(__u32 index, __u32 now)
{
	struct sp_flow_set *set = bpf_map_lookup_elem(&sp_flows, &index);
	__u32 zero = 0;
	__u64 *count = bpf_map_lookup_elem(&sp_flow_count, &zero);
	__u64 freed = 0;

	if (!set || !count || *(volatile __u64 *)&set->tags == 0)
		return 0;
	bpf_spin_lock(&set->lock);
	for (int i = 0; i < SP_FLOW_WAYS; i++) {
		struct sp_flow *f = &set->flows[i];
		__u64 dead = is_over(f, now) & ~is_free(f) & 1;

		f->idle_s &= (__u32)(dead - 1);
		set->tags &= ~((0xffull * dead) << (8 * i));
		freed += dead;
	}
	bpf_spin_unlock(&set->lock);
	if (freed)
		__sync_fetch_and_sub(count, freed);
	return (int)freed;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_CONNECTIONS_H
#define SALLYPORT_LIB_CONNECTIONS_H
/*
 * max-connections: how many connections a source may have at once. A place is taken by
 * the acknowledgement that completes the handshake, in XDP, and only a right one: so
 * what a forger can send takes none. It becomes the socket's own when the stack makes
 * it (sp_sock_ops), or is free again seconds later.
 */
#include "limit_key.h"
#include "maps_connections.h"
#include "peer_count.h"

static __always_inline struct sp_peer_set *peer_set_of(const struct sp_bucket_key *key)
{
	__u32 index = (__u32)(bucket_hash(key) >> 32) % SP_PEER_SETS;

	return bpf_map_lookup_elem(&sp_peers, &index);
}

static __always_inline void counted_source_of(struct sp_bucket_key *key,
					      const struct sp_limit *limit,
					      const struct beginning *b)
{
	__u32 length = source_length(limit, &b->src);

	cut_address(&key->addr, &b->src, length);
	key->owner = b->counter;
	key->src_port = (__u16)length;
}

/* Is there a place left? What is on its way counts as open. */
static __always_inline int has_place(const struct sp_bucket_key *key, __u32 most, __u32 now)
{
	struct sp_peer_set *set = peer_set_of(key);
	const struct sp_peer *p;
	__u32 i;

	if (!set)
		return 0;
	i = peer_of(set, key);
	if (i >= SP_PEER_WAYS)
		return free_peer(set, now) < SP_PEER_WAYS;
	p = &set->peers[i];
	return p->open + begun_at(p, now) < most;
}

/* A SYN, or whoever only asks: takes nothing. 1 also of a rule that does not count. */
SP_GLOBAL int may_connect(__u32 slot, const struct beginning *b)
{
	const struct sp_limit *limit;
	struct sp_bucket_key key = {};
	struct sp_limit_state *state;

	if (!b)
		return 0;
	limit = limit_of(slot, b);
	if (!limit)
		return 0;
	if (!limit->connections || b->proto != SP_PROTO_TCP)
		return 1;
	state = limit_state_of(b);
	if (state && !asking())
		state->counts = 1;
	counted_source_of(&key, limit, b);
	return has_place(&key, limit->connections, now_s());
}

/* The handshake's end. Another segment of the same one has the same place. */
SP_GLOBAL int take_connection(__u32 slot, const struct beginning *b,
			      const struct sp_flow_key *tuple, __u32 isn)
{
	struct sp_handshake h = {.isn = isn, .since_s = now_s()};
	struct sp_flow_key key; /* a copy: 6.1 takes no argument of a global function for a key */
	const struct sp_handshake *had;
	const struct sp_limit *limit;
	struct sp_peer_set *set;
	__u32 since = 0;
	int taken;

	if (!b || !tuple)
		return 0;
	key = *tuple;
	limit = limit_of(slot, b);
	if (!limit)
		return 0;
	had = bpf_map_lookup_elem(&sp_handshakes, &key);
	if (had && had->isn == isn) {
		if (had->made || h.since_s - had->since_s < SP_HANDSHAKE_SECONDS)
			return 1;
		since = had->since_s;
	}
	counted_source_of(&h.peer, limit, b);
	if (asking())
		return has_place(&h.peer, limit->connections, h.since_s);
	set = peer_set_of(&h.peer);
	if (!set)
		return 0;
	lock_peers(set);
	taken = take_place_locked(set, &h.peer, limit->connections, since, h.since_s);
	unlock_peers(set);
	/* Without a note the socket would not be counted; the place is free again in seconds. */
	return taken && !bpf_map_update_elem(&sp_handshakes, &key, &h, BPF_ANY);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_PEER_SET_H
#define SALLYPORT_LIB_PEER_SET_H
/*
 * How many connections each source has: sets of 64 with full keys, one set for a key,
 * and everything under the set's lock. An entry is free when its source has nothing
 * open and no handshake on its way; nothing else evicts one. Compiled natively too, by
 * tests that race it.
 */
#include "bucket_set.h"
#include "sallyport/abi/connection.h"

struct sp_peer_set {
#ifdef SP_HOST
	__u32 lock;
#else
	struct bpf_spin_lock lock;
#endif
	__u32 spare;
	struct sp_bucket_key keys[SP_PEER_WAYS];
	struct sp_peer peers[SP_PEER_WAYS];
};

#ifdef SP_HOST
static inline void lock_peers(struct sp_peer_set *set)
{
	while (__atomic_exchange_n(&set->lock, 1u, __ATOMIC_ACQUIRE))
		;
}
static inline void unlock_peers(struct sp_peer_set *set)
{
	__atomic_store_n(&set->lock, 0u, __ATOMIC_RELEASE);
}
#else
#define lock_peers(set) bpf_spin_lock(&(set)->lock)
#define unlock_peers(set) bpf_spin_unlock(&(set)->lock)
#endif

/* The entry that bears the key, or SP_PEER_WAYS. Without branches, as all loops over sets. */
static __always_inline __u32 peer_of(const struct sp_peer_set *set, const struct sp_bucket_key *key)
{
	__u64 at = 0;

	for (__u32 i = 0; i < SP_PEER_WAYS; i++)
		at |= bears(&set->keys[i], key) * (i + 1);
	return (__u32)(at ? at - 1 : SP_PEER_WAYS);
}

/* One that is free, or SP_PEER_WAYS. Seconds may be a tick behind another CPU's. */
static __always_inline __u32 free_peer(const struct sp_peer_set *set, __u32 now)
{
	__u64 at = SP_PEER_WAYS;

	for (__u32 i = 0; i < SP_PEER_WAYS; i++) {
		const struct sp_peer *p = &set->peers[i];
		__u64 busy = ((__u64)now - p->begun_s - SP_PEER_SECONDS) >> 63;
		__u64 mask = 0 - (is_zero(p->open) & ~busy & 1);

		barrier_var(mask);
		at = (at & ~mask) | (i & mask);
	}
	return (__u32)at;
}

/* Forgets the handshakes that hold no place any more; returns the second that it is for it. */
static __always_inline __u32 forget_begun(struct sp_peer *p, __u32 now)
{
	__u32 gone = now - p->begun_s;

	if (gone >> 31)
		return p->begun_s;
	for (__u32 k = 1; k <= SP_PEER_SECONDS; k++) {
		__u32 slot = (p->begun_s + k) & (SP_PEER_SECONDS - 1);
		__u64 stays = ((__u64)gone - k) >> 63;

		barrier_var(stays);
		p->begun[slot] &= (__u16)(0 - stays);
	}
	p->begun_s = now;
	return now;
}

/* Those that still hold one; nothing is changed. */
static __always_inline __u32 begun_at(const struct sp_peer *p, __u32 now)
{
	__u64 gone = now - p->begun_s;
	__u32 sum = 0;

	gone = gone >> 31 ? 0 : gone;
	for (__u32 i = 0; i < SP_PEER_SECONDS; i++) {
		__u64 age = gone + ((p->begun_s - i) & (SP_PEER_SECONDS - 1));
		__u64 stays = (age - SP_PEER_SECONDS) >> 63;

		barrier_var(stays);
		sum += p->begun[i] & (__u32)(0 - stays);
	}
	return sum;
}

static __always_inline __u32 begun_by(const struct sp_peer *p)
{
	return (__u32)p->begun[0] + p->begun[1] + p->begun[2] + p->begun[3];
}

/* Under the lock: the key's entry, made when it is not there; null when there is no room. */
static __always_inline struct sp_peer *entered_peer(struct sp_peer_set *set,
						    const struct sp_bucket_key *key, __u32 now)
{
	__u32 i = peer_of(set, key);
	struct sp_peer *p;

	if (i >= SP_PEER_WAYS) {
		i = free_peer(set, now);
		if (i >= SP_PEER_WAYS)
			return 0;
		set->keys[i] = *key;
		p = &set->peers[i];
		__builtin_memset(p, 0, sizeof(*p));
		p->begun_s = now;
	}
	return &set->peers[i];
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_BUCKET_SET_H
#define SALLYPORT_LIB_BUCKET_SET_H
/* A set of the table of limits, and looking over it. Compiled natively too. */
#include "gcra.h"

struct sp_bucket_set {
#ifdef SP_HOST
	__u32 lock;
#else
	struct bpf_spin_lock lock;
#endif
	__u32 spare;
	__u64 due[SP_BUCKET_WAYS]; /* 0: free */
	struct sp_bucket_key keys[SP_BUCKET_WAYS];
	struct sp_window windows[SP_BUCKET_WAYS];
};

#ifdef SP_HOST
static inline void lock_set(struct sp_bucket_set *set)
{
	while (__atomic_exchange_n(&set->lock, 1u, __ATOMIC_ACQUIRE))
		;
}
static inline void unlock_set(struct sp_bucket_set *set)
{
	__atomic_store_n(&set->lock, 0u, __ATOMIC_RELEASE);
}
#else
#define lock_set(set) bpf_spin_lock(&(set)->lock)
#define unlock_set(set) bpf_spin_unlock(&(set)->lock)
#endif

static __always_inline __u64 bears(const struct sp_bucket_key *a, const struct sp_bucket_key *b)
{
	const volatile __u64 *x = (const volatile __u64 *)a;
	const __u64 *y = (const __u64 *)b;

	return is_zero((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]));
}

/* The entries that bear the key, a bit each; there is one at most. */
static __always_inline __u64 bearing(const struct sp_bucket_set *set,
				     const struct sp_bucket_key *key)
{
	__u64 mask = 0;

	for (int i = 0; i < SP_BUCKET_WAYS; i++)
		mask |= bears(&set->keys[i], key) << i;
	return mask;
}

/*
 * The one that has waited for nothing for longest: its number in the lower bits, its time
 * to eight nanoseconds above. 0: all wait. Who comes back soon is still remembered then.
 * Times are below 2^63, but for SP_TIME_BUSY: so that one waits.
 */
static __always_inline __u64 longest_idle(const struct sp_bucket_set *set, __u64 now)
{
	__u64 longest = 0;

	for (__u64 i = 0; i < SP_BUCKET_WAYS; i++) {
		__u64 due = *(const volatile __u64 *)&set->due[i];
		__u64 waits = (now - due) >> 63 | due >> 63;
		__u64 idle = (now - due + SP_BUCKET_WAYS) & ~(SP_BUCKET_WAYS - 1ull), more;

		barrier_var(waits);
		idle = (idle | i) & (waits - 1);
		more = 0 - ((longest - idle) >> 63);
		barrier_var(more);
		longest ^= (longest ^ idle) & more;
	}
	return longest;
}

static __always_inline __u32 first_of(__u64 mask)
{
	__u64 low = mask & -mask;

	return (__u32)((is_zero(low & 0xaa) ^ 1) | (is_zero(low & 0xcc) ^ 1) << 1 |
		       (is_zero(low & 0xf0) ^ 1) << 2) &
	       (SP_BUCKET_WAYS - 1);
}

#endif

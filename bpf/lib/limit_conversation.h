/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_LIMIT_CONVERSATION_H
#define SALLYPORT_LIB_LIMIT_CONVERSATION_H
/* Of what has no connections, what a limit takes for one: its first packet is counted. */
#include "limit_key.h"

/* Datagrams between the same ports, no longer than `idle` apart, are one connection. */
SP_GLOBAL int goes_on(const struct beginning *b, __u64 now, __u64 idle)
{
	struct sp_bucket_key key = {};
	struct sp_bucket_set *set;
	__u64 mask, due;
	__u32 i;

	if (!b)
		return 0;
	conversation_of(&key, b);
	set = bucket_set_of(&key);
	if (!set)
		return 0;
	mask = bearing(set, &key);
	i = first_of(mask);
	due = *(volatile __u64 *)&set->due[i];
	if (!mask || due <= now || due == SP_TIME_BUSY || !bears(&set->keys[i], &key))
		return 0;
	__sync_val_compare_and_swap(&set->due[i], due, now + idle);
	return 1;
}

/* No room to remember it: its next datagram counts as another connection. */
SP_GLOBAL int let_go_on(const struct beginning *b, __u64 now, __u64 idle)
{
	const struct sp_rate once = {.interval_ns = idle};
	struct sp_bucket_key key = {};
	struct sp_bucket_set *set;

	if (!b)
		return 0;
	conversation_of(&key, b);
	set = bucket_set_of(&key);
	if (set && take_known(set, &key, now, &once) == BUCKET_ABSENT)
		enter_bucket(set, &key, now, &once);
	return 0;
}

#endif

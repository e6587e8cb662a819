/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SALLYPORT_ABI_CONNECTION_H
#define SALLYPORT_ABI_CONNECTION_H
/* Connections that are counted while they are open: max-connections of a rule. */
#include "limit.h"

/* More than this of one source no rule can ask for: handshakes are counted in 16 bits. */
#define SP_CONNECTIONS_MAX 60000u

/*
 * A source of a rule and what it has. Its key is an sp_bucket_key: the address cut to its
 * prefix, sp_rule.counter, and in src_port the prefix's length, so that sources of another
 * length are others.
 */
struct sp_peer {
	__u32 open;    /* connections that the kernel has a socket for */
	__u32 seen;    /* of these, by the recount that `round` names */
	__u32 round;   /* CLOCK_MONOTONIC seconds at which that recount began */
	__u32 begun_s; /* of the last handshake that took a place */
	/* Handshakes that took a place and have no socket yet, by the second they did. */
	__u16 begun[4];
};
SP_ASSERT_SIZE(struct sp_peer, 24);

#define SP_PEER_WAYS 64
#define SP_PEER_SETS 1024u
#define SP_PEER_SETTLED 16u /* sets that one run of a recount's end goes over */
/* Seconds a handshake holds its place: between XDP and the stack lie microseconds. */
#define SP_PEER_SECONDS 4u
/* So long another segment of the same handshake goes by the place that it has; then it renews. */
#define SP_HANDSHAKE_SECONDS 2u

/* Value of sp_handshakes, by the connection's sp_flow_key. */
struct sp_handshake {
	struct sp_bucket_key peer;
	__u32 isn;     /* the first sequence number of this end: it tells handshakes apart */
	__u32 since_s; /* when it took its place, in CLOCK_MONOTONIC seconds */
	__u32 made;    /* 1: it has become a socket */
	__u32 spare;
};
SP_ASSERT_SIZE(struct sp_handshake, 40);

/* Value of sp_counted, of a socket. Changed under the lock of its source's set. */
struct sp_counted {
	struct sp_bucket_key peer;
	__u32 round; /* of the last recount that saw it */
	__u32 state; /* SP_COUNTED_* */
};
SP_ASSERT_SIZE(struct sp_counted, 32);

#define SP_COUNTED_OPEN 1u
#define SP_COUNTED_ENDED 2u

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_MAPS_CONNECTIONS_H
#define SALLYPORT_LIB_MAPS_CONNECTIONS_H
/* Connections that are counted while they are open. */
#include "peer_set.h"

/* Sources of rules with max-connections. A full set refuses a source that is not there. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SP_PEER_SETS);
	__type(key, __u32);
	__type(value, struct sp_peer_set);
} sp_peers __weak SEC(".maps");

/*
 * Handshakes that took a place, from XDP to the socket's own hook. Only a right
 * acknowledgement writes here, and what it writes is read microseconds later: an LRU
 * will do. One that is lost is a connection that is not counted.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct sp_flow_key);
	__type(value, struct sp_handshake);
} sp_handshakes __weak SEC(".maps");

/* What a socket is counted as. Dies with the socket; who accepts does not inherit. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct sp_counted);
} sp_counted __weak SEC(".maps");

/* When the last recount of sp_peers began. Written by the daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} sp_peer_round __weak SEC(".maps");

#endif

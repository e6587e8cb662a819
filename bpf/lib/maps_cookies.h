/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_MAPS_COOKIES_H
#define SALLYPORT_LIB_MAPS_COOKIES_H
/* What the stack's own SYN+ACKs have shown, for those that XDP gives in its place. */
#include "paid_word.h"

#define SP_PAID_SETS 8192u

/* By a secret hash of the source under its limit: paid_word.h. Zero: nothing is paid for. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SP_PAID_SETS);
	__type(key, __u32);
	__type(value, struct sp_paid_set);
} sp_paid __weak SEC(".maps");

/* A listener's address and port, and the interface that its answer leaves by. */
struct sp_offer_key {
	struct sp_addr local;
	__u32 ifindex;
	__u16 port;
	__u16 spare;
};

/* What a listener offers, and what it was then: of one that has changed it says nothing. */
struct sp_offer {
	__u32 buffer; /* sk_rcvbuf */
	__u32 clamp;  /* TCP_WINDOW_CLAMP */
	__u32 most;   /* tcp_rmem[2] */
	__u16 mss;
	__u8 scale;  /* window scale + 1; 0: none was seen */
	__u8 marks;  /* SP_TCP_HAS_* */
	__u8 locked; /* 1: SO_RCVBUF was asked for */
	__u8 spare[3];
};

/* Only listeners on the host's own addresses are in it. An entry lost costs its options. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct sp_offer_key);
	__type(value, struct sp_offer);
} sp_offers __weak SEC(".maps");

#endif

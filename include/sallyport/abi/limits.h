/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SALLYPORT_ABI_LIMITS_H
#define SALLYPORT_ABI_LIMITS_H
/* Sizes that both sides of the kernel boundary rely on. */

/* The layout of pins, maps and events. A change of any of them raises it. */
#define SP_LAYOUT 1

/* Policy slots. Slot 0 is never filled: an all-zero control word denies all. */
#define SP_SLOTS 4

/* Rules of one policy. A cell holds rule + 1 in 16 bits. */
#define SP_RULES_MAX 16384
/* Per-rule counters; a number is bound to a rule's name while the name lives. */
#define SP_COUNTERS_MAX 32768

/* Guarded and known interfaces are indexed by ifindex; one above this cannot be guarded. */
#define SP_IFINDEX_MAX 65536
/* Words of 64 states for the globs of [host] interfaces; more globs than fit are refused. */
#define SP_GLOB_GROUPS 8
/* Guarded interfaces with counters of their own. */
#define SP_NICS_MAX 64

/* 802.1Q and 802.1ad tags walked before a frame is refused (KERNEL: the stack takes ten). */
#define SP_VLANS_MAX 2
/* IPv6 extension headers walked before a packet is refused. */
#define SP_EXTS_MAX 8

/* Entries of one set of the flow table; each flow has two candidate sets. */
#define SP_FLOW_WAYS 8
/* Sets that one run of the sweeper goes over. */
#define SP_SWEEP_SETS 256

/* The table of fragments: its sets, the entries of one, the pieces of a datagram, their life. */
#define SP_FRAGMENT_SETS 512
#define SP_FRAGMENT_WAYS 8
#define SP_FRAGMENT_PIECES 128
#define SP_FRAGMENT_LIFE_NS 2000000000ull

/* 16-bit words in one element of a chunked table, and bits in one element of a bitmap. */
#define SP_CHUNK_WORDS 32
#define SP_CHUNK_BITS 512

/* Bits of the IPv4 /24 bitmap and of the hashed IPv6 one. */
#define SP_V4_BITS (1u << 24)
#define SP_V6_BITS (1u << 24)

/* Words in the decision tables of one policy; a larger one is refused by the compiler. */
#define SP_CELLS_MAX (1u << 24)

/* Bans of both families together; user space refuses one more. */
#define SP_BANS_MAX 1048576u
/* Entries of one family's trie. More than the bans: it also holds what is never banned, and
 * a full trie refuses even to change an entry (before 6.13). */
#define SP_BAN_ENTRIES (SP_BANS_MAX + 131072u)

/* Longest cgroup name a policy may select, with its terminating zero. */
#define SP_CG_NAME 124
/* Deepest cgroup whose selector is known, counted from the hierarchy's root. */
#define SP_CG_DEPTH_MAX 32

#define SP_COMM_LEN 16

#endif

/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SALLYPORT_ABI_DECISION_H
#define SALLYPORT_ABI_DECISION_H
/* The tables that decide, and what goes with them in a slot. */
#include "base.h"

/*
 * All decision tables of a policy share one array of 16-bit words, sp_cells;
 * the offsets below count words in it.
 *
 *   near = cells[near_at + address class of the one who is asked about]
 *          (ingress and forward: the source; egress: the destination)
 *   row  = cells[first_at + (iface class * n_near + near) * n_ports + port class]
 *   cell = n_second == 1 ? row : cells[second_at + row * n_second + second]
 *          second: egress: the identity class; forward: cells[far_at + class of
 *          the destination]
 *
 * A cell is 0 for "no rule", else rule + 1. An offset outside is a drop.
 */
struct sp_dims {
	__u32 near_at;
	__u32 first_at;
	__u32 far_at;
	__u32 second_at;
	__u32 n_near;
	__u32 n_ports;
	__u32 n_second; /* at least 1; 0 (never filled) denies */
	__u32 spare;
};
SP_ASSERT_SIZE(struct sp_dims, 32);

/* Bits of the words at marks_at + iface class * n_classes + address class. */
#define SP_MARK_INSIDE 1u /* within exfil.inside */
#define SP_MARK_PING 2u	  /* may ping this host */
#define SP_MARK_ROUTER 4u /* may announce itself as a router */

/* sp_slot.flags; zero is the strict side. */
#define SP_SLOT_OBSERVE 1u	 /* judge and report, drop nothing */
#define SP_SLOT_ARP 2u		 /* essentials.arp */
#define SP_SLOT_NEIGHBOUR 4u	 /* essentials.neighbour-discovery */
#define SP_SLOT_DHCP 8u		 /* essentials.dhcp-client */
#define SP_SLOT_ICMP_ERRORS 16u	 /* essentials.icmp-errors */
#define SP_SLOT_IP_OPTIONS 32u	 /* ip-options = "judge" */
#define SP_SLOT_REDIRECTS 64u	 /* essentials.redirects */
#define SP_SLOT_FRAGMENTS 128u	 /* fragments = "track" */
#define SP_SLOT_PACKET_DENY 256u /* packet-sockets = "deny" */
/* essentials.link-protocols, one by one */
#define SP_SLOT_LLDP 512u
#define SP_SLOT_EAPOL 1024u
#define SP_SLOT_LACP 2048u
#define SP_SLOT_PTP 4096u
#define SP_SLOT_STP 8192u
/* Who is refused is asked to prove that it was him: [bans] after-limits, after-probes */
#define SP_SLOT_AFTER_LIMITS 16384u
#define SP_SLOT_AFTER_PROBES 32768u
/* Of a panic, for the daemon alone: on trial, and not to be kept or compiled anew as a policy. */
#define SP_SLOT_PANIC 65536u
#define SP_SLOT_NAMES 131072u /* events.names */
/*
 * No policy is in force: the wall is being raised or taken down, and its hooks come
 * or go one by one. Only ever together with SP_SLOT_OBSERVE, which lets all pass.
 */
#define SP_SLOT_ASIDE 0x80000000u

/* What the programs must know of a policy beside its tables. Written while no word points at it. */
struct sp_slot {
	__u32 generation; /* 0: never filled, deny all */
	__u32 flags;
	struct sp_dims dims[SP_DIRECTIONS];
	__u32 marks_at;
	__u32 n_classes; /* address classes; a class beyond is a drop */
	__u32 v6_levels;
	__u16 v4_default; /* class of an address in no prefix of the trie */
	__u16 v6_default;
	__u32 n_ifaces;	    /* interface classes */
	__u32 n_users;	    /* user classes; identity = cgroup class * n_users + user class */
	__u32 any_identity; /* the identity for which a cell holds what some identity may; n_second
			       - 1 */
	__u32 udp_idle_s;   /* life of a flow that is not TCP */
	__u32 tcp_idle_s;   /* life of a TCP flow */
	__u32 events_per_second; /* per CPU and direction */
	__u32
	    capture_bytes; /* of a packet that an event is about; 0: none, SP_CAPTURE_MAX at most */
	__u32 spare;
};
SP_ASSERT_SIZE(struct sp_slot, 152);

/* sp_rule.flags */
#define SP_RULE_LOG_NEW 1u

/* One rule of a policy; all zero denies. */
struct sp_rule {
	__u32 allow; /* 1: allow, 0: deny */
	__u32 flags;
	__u32 counter; /* index in sp_rule_counts */
	__u32 spare;
};
SP_ASSERT_SIZE(struct sp_rule, 16);

#endif

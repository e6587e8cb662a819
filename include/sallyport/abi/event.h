/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SALLYPORT_ABI_EVENT_H
#define SALLYPORT_ABI_EVENT_H
/* The record in the ring buffer sp_events. Host byte order but for addresses. */
#include "types.h"

enum sp_hook {
	SP_HOOK_XDP = 0,
	SP_HOOK_CONNECT = 1, /* connect4/6 */
	SP_HOOK_SENDMSG = 2, /* sendmsg4/6 */
	SP_HOOK_CGROUP = 3,  /* cgroup_skb egress */
	SP_HOOK_TC = 4,	     /* TC egress */
	SP_HOOK_FORWARD = 5, /* routed: netfilter FORWARD (6.4), else TC ingress */
	SP_HOOK_HOLD = 6,    /* netfilter LOCAL_IN and FORWARD, of a NIC that has no hooks yet */
	SP_HOOK_SOCKET = 7,  /* making a socket: LSM, or found by the daemon */
	SP_HOOKS = 8,
};

enum sp_event_kind {
	SP_EVENT_DROP = 1,
	SP_EVENT_WOULD_DROP = 2, /* observe mode */
	SP_EVENT_NEW = 3,	 /* an admitted opening of a rule with log = "new" */
};

/* sp_event.flags */
#define SP_EVENT_EXFIL 1u /* a refused way out of exfil.inside */
#define SP_EVENT_HAS_PORTS 2u
#define SP_EVENT_HAS_ADDRS 4u
#define SP_EVENT_HAS_OWNER 8u  /* pid, uid, cgroup and comm are known */
#define SP_EVENT_HAS_ICMP 16u  /* icmp_type, icmp_code */
#define SP_EVENT_HAS_FLAGS 32u /* tcp_flags */

struct sp_event {
	__u64 at_ns;	/* CLOCK_MONOTONIC */
	__u8 version;	/* SP_LAYOUT */
	__u8 kind;	/* enum sp_event_kind */
	__u8 reason;	/* enum sp_reason; 0 for SP_EVENT_NEW */
	__u8 direction; /* enum sp_direction */
	__u8 hook;	/* enum sp_hook */
	__u8 proto;	/* IP protocol; the last header walked for IPv6 */
	__u8 tcp_flags; /* as on the wire: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32 */
	__u8 flags;
	struct sp_addr src;
	struct sp_addr dst;
	__u16 src_port;
	__u16 dst_port;
	__u16 ethertype;
	__u8 icmp_type;
	__u8 icmp_code;
	__u32 ifindex; /* 0: none, as in connect and sendmsg */
	__u32
	    len; /* bytes of the packet, without the Ethernet header where there is none; 0: none */
	__u32 generation;
	__u32 rule;   /* rule + 1 of that generation; 0: none */
	__u32 pid;    /* thread group id in the initial namespace, of the socket's creator or last
			 connector */
	__u32 uid;    /* in the initial user namespace */
	__u64 cgroup; /* cgroup v2 id */
	__u64 netns;  /* cookie; 0: not known */
	char comm[SP_COMM_LEN];
	__u16 socket_family; /* AF_* of a refused socket (SP_HOOK_SOCKET); 0: none */
	__u16 cpu;	     /* on which it was written */
	__u16 spare[6];
};
SP_ASSERT_SIZE(struct sp_event, 128);

#endif

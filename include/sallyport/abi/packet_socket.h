/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SALLYPORT_ABI_PACKET_SOCKET_H
#define SALLYPORT_ABI_PACKET_SOCKET_H
/* What the iterator sp_packet_find writes. Host byte order. */
#include "types.h"

/* Families of sockets that pass by the hooks on sockets (linux/socket.h). */
#define SP_AF_PACKET 17
#define SP_AF_XDP 44

/* sp_found_socket.bypass: PACKET_QDISC_BYPASS of AF_PACKET. */
#define SP_BYPASS_UNKNOWN 0u
#define SP_BYPASS_NO 1u
#define SP_BYPASS_YES 2u

struct sp_found_socket {
	__u64 inode;	/* of the socket's file; one socket has one, however many hold it */
	__u64 cgroup;	/* of the process */
	__u64 netns;	/* cookie of the socket's namespace */
	__u64 xmit;	/* when bypass is unknown: the kernel function that sends, 0: not known */
	__u32 pid;	/* thread group id in the initial namespace */
	__u32 uid;	/* effective, in the initial user namespace */
	__u32 ifindex;	/* bound to; 0: none */
	__u16 family;	/* SP_AF_* */
	__u16 protocol; /* EtherType asked for, 3 for all; 0: it only sends */
	__u16 type;	/* SOCK_* */
	__u8 bypass;	/* SP_BYPASS_* */
	__u8 spare[5];
	char comm[SP_COMM_LEN];
};
SP_ASSERT_SIZE(struct sp_found_socket, 72);

#endif

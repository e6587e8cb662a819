/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SALLYPORT_ABI_MACHINE_H
#define SALLYPORT_ABI_MACHINE_H
/* The machine's interfaces and addresses. */
#include "base.h"

enum sp_link_type { SP_LINK_NONE = 0, SP_LINK_ETHERNET = 1, SP_LINK_IP = 2 };

/* sp_iface.marks */
#define SP_IFACE_JUDGES_ROUTED                                                                     \
	1u		 /* has sp_tc_forward: what it hands over to be routed was judged */
#define SP_IFACE_PORT 2u /* of a bridge, bond or team, which receives in its place */

/* Value of sp_ifaces, by ifindex of the host's network namespace. */
struct sp_iface {
	__u8 link;    /* enum sp_link_type; 0: unknown, drop */
	__u8 guarded; /* 1: its traffic is judged by ingress */
	__u8 mac[6];
	__u16 iface_class[SP_SLOTS];
	__u32 counter; /* below SP_NICS_MAX: index in sp_nic_counts */
	__u32 marks;   /* SP_IFACE_* */
};
SP_ASSERT_SIZE(struct sp_iface, 24);

/*
 * Value of sp_globs: up to 64 states of automata over an interface's name, one
 * automaton a glob. In state i the first i of its characters are matched. Reading
 * a character c, at = (at & takes[c]) << 1 | (at & loops).
 */
struct sp_globs {
	__u64 takes[256]; /* by character: the states that it leads on from */
	__u64 loops;	  /* those before a '*', which any character leaves as they are */
	__u64 starts;	  /* 0: the group is not used */
	__u64 accepts;
	__u64 spare;
};
SP_ASSERT_SIZE(struct sp_globs, 2080);

/* Value of sp_local, by struct sp_addr. */
#define SP_LOCAL_HOST 1u      /* an address of the host's own namespace */
#define SP_LOCAL_BROADCAST 2u /* a subnet's broadcast address there */
#define SP_LOCAL_ELSEWHERE 4u /* an address of another namespace of this machine */

#endif

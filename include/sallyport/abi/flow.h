/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SALLYPORT_ABI_FLOW_H
#define SALLYPORT_ABI_FLOW_H
/* What is remembered of packets. */
#include "base.h"

/* A flow as the wire shows it at a guarded NIC. ICMP echo has its id in both ports. */
struct sp_flow_key {
	struct sp_addr remote;
	struct sp_addr local;
	__u16 remote_port;
	__u16 local_port;
	__u8 proto;
	__u8 spare[3];
};
SP_ASSERT_SIZE(struct sp_flow_key, 40);

/* sp_flow.state */
#define SP_FLOW_CONFIRMED 1u  /* both sides have been heard */
#define SP_FLOW_CLOSING 2u    /* a FIN or RST was seen */
#define SP_FLOW_BEHIND_NAT 4u /* of a published port, as its box knows it: for XDP alone */

/* sp_flow.generation and sp_owner.generation: spared by --keep-connections until it ends. */
#define SP_GENERATION_KEPT 0xffffffffu

struct sp_flow {
	struct sp_flow_key key;
	__u32 seen_s;	  /* CLOCK_MONOTONIC (coarse) seconds of the last packet */
	__u32 idle_s;	  /* life after that; 0: the entry is free */
	__u32 generation; /* of the policy that last judged it */
	__u16 rule;	  /* rule + 1 of that generation */
	__u8 direction;	  /* enum sp_direction of its opening */
	__u8 state;
	__u32 counter; /* of the rule */
	__u32 source;  /* of what is routed: who sends from the inside (flow_evict.h); else 0 */
};
SP_ASSERT_SIZE(struct sp_flow, 64);

/* Which datagram a fragment is a piece of (RFC 791, RFC 8200 4.5), and where it was seen. */
struct sp_fragment_key {
	struct sp_addr src;
	struct sp_addr dst;
	__u32 id;
	__u32 ifindex;
	__u32 generation; /* of the policy that admitted the first: another knows nothing of it */
	__u8 proto;	  /* IPv4; 0 in IPv6, which tells datagrams apart without it */
	__u8 family;
	__u8 leaving; /* 1: seen at TC egress */
	__u8 spare;
};
SP_ASSERT_SIZE(struct sp_fragment_key, 48);

/* A datagram whose first fragment was admitted and whose last pieces are still to come. */
struct sp_fragment {
	struct sp_fragment_key key;
	__u64 since_ns;	 /* CLOCK_MONOTONIC (coarse) of the first; 0: the entry is free */
	__u64 pieces[2]; /* a bit for each that was seen: SP_FRAGMENT_PIECES */
	__u32 counter;	 /* as the first was judged */
	__u16 rule;	 /* rule + 1 of that generation */
	__u16 step;	 /* bytes of each piece but the last */
	__u16 src_port;
	__u16 dst_port;
	__u8 proto;	/* where the first's headers end */
	__u8 direction; /* enum sp_direction */
	__u8 last;	/* the last piece's number; 0: not seen yet */
	__u8 spare;
};
SP_ASSERT_SIZE(struct sp_fragment, 88);

#endif

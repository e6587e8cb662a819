/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SALLYPORT_ABI_TYPES_H
#define SALLYPORT_ABI_TYPES_H
/*
 * Map keys and values. No padding that the compiler could insert; sizes are
 * asserted here for BPF C and C++ alike. Numbers are in host byte order unless
 * the type says __be. IPv4 addresses are carried as ::ffff:a.b.c.d.
 */
#include <linux/types.h>
#include "limits.h"

#ifdef __cplusplus
#define SP_ASSERT_SIZE(type, size) static_assert(sizeof(type) == (size), #type)
#else
#define SP_ASSERT_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)
#endif

/* An address, in network byte order; the two halves are for comparing only. */
struct sp_addr {
	union {
		__u8 bytes[16];
		__u32 words[4];
		__u64 halves[2];
	};
};
SP_ASSERT_SIZE(struct sp_addr, 16);

enum sp_direction { SP_INGRESS = 0, SP_EGRESS = 1, SP_FORWARD = 2, SP_DIRECTIONS = 3 };

/* ---- ports: what is asked for ------------------------------------------------- */

/*
 * Every thing a rule can name beside addresses lies on one line, the "service
 * line" of a direction: TCP ports, UDP ports, SCTP ports, UDP-Lite ports, then
 * one place per IP protocol, ICMP type and ICMPv6 type. sp_ports maps a place
 * to its port class, 0 when no rule names it.
 */
#define SP_LINE_TCP 0u
#define SP_LINE_UDP 65536u
#define SP_LINE_SCTP 131072u
#define SP_LINE_UDPLITE 196608u
#define SP_LINE_PROTO 262144u
#define SP_LINE_ICMP4 (SP_LINE_PROTO + 256u)
#define SP_LINE_ICMP6 (SP_LINE_PROTO + 512u)
#define SP_LINE_END (SP_LINE_PROTO + 768u)

struct sp_chunk {
	__u16 words[SP_CHUNK_WORDS];
};
SP_ASSERT_SIZE(struct sp_chunk, 64);

/* Elements of the sp_ports map: the three directions' lines one after the other. */
#define SP_PORT_CHUNKS (SP_DIRECTIONS * SP_LINE_END / SP_CHUNK_WORDS)

/* ---- addresses: where from, where to ------------------------------------------ */

struct sp_bits {
	__u64 words[8];
};
SP_ASSERT_SIZE(struct sp_bits, 64);

/* Keys of the tries; the value is the address class as __u32. */
struct sp_v4_key {
	__u32 prefix_len; /* 0..32 */
	__u8 addr[4];
};
SP_ASSERT_SIZE(struct sp_v4_key, 8);

struct sp_v6_key {
	__u32 prefix_len; /* 0..128 */
	__u8 addr[16];
};
SP_ASSERT_SIZE(struct sp_v6_key, 20);

/*
 * The IPv6 bitmap is hashed by what sp_v6_bit() makes of the address's first
 * 16, 32 or 48 bits. A prefix of the trie sets the bit of the longest of these
 * levels that is not longer than itself; one shorter than /16 sets those of
 * all /16 it contains. Levels in use are named in sp_slot.v6_levels.
 */
#define SP_V6_LEVEL_16 1u
#define SP_V6_LEVEL_32 2u
#define SP_V6_LEVEL_48 4u

/* first48: the address's first 48 bits as a number, those below the level zero. */
static inline __attribute__((always_inline)) __u32 sp_v6_bit(__u64 first48, __u32 level)
{
	__u64 x = (first48 << 3 | level) * 0x9e3779b97f4a7c15ull;

	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ull;
	return (__u32)(x >> 40); /* 24 bits: SP_V6_BITS */
}

/* ---- cells: the decision ------------------------------------------------------- */

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
};
SP_ASSERT_SIZE(struct sp_slot, 144);

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

/* ---- identity ------------------------------------------------------------------ */

/*
 * cgroup selectors are an automaton over the names of a cgroup's path. State 0
 * is the hierarchy's root; a cgroup's state is its parent's with its own name
 * applied. A name the policy does not know takes the state's other transition;
 * names that end in ".slice" have one of their own, because a systemd unit is
 * only believed under slices (a user can make a cgroup of any name below his
 * own service, but no slice under the root).
 */
struct sp_cg_step {
	__u32 state;
	char name[SP_CG_NAME]; /* zero-filled to the end */
};
SP_ASSERT_SIZE(struct sp_cg_step, 128);

/* sp_cg_state.flags */
#define SP_CG_PACKET_USER 1u /* of packet-socket-users */

struct sp_cg_state {
	__u32 other;
	__u32 other_slice;
	__u32 cgroup_class; /* 0: no selector holds, and as such an unknown cgroup counts */
	__u32 flags;	    /* SP_CG_* */
};
SP_ASSERT_SIZE(struct sp_cg_state, 16);

/* Key of sp_cgroups, whose __u32 value is the state + 1. */
struct sp_cg_key {
	__u64 cgroup;
	__u32 slot;
	__u32 spare;
};
SP_ASSERT_SIZE(struct sp_cg_key, 16);

/* ---- interfaces and own addresses ---------------------------------------------- */

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

/* ---- flows ---------------------------------------------------------------------- */

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
#define SP_FLOW_CONFIRMED 1u /* both sides have been heard */
#define SP_FLOW_CLOSING 2u   /* a FIN or RST was seen */

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
	__u32 spare;
};
SP_ASSERT_SIZE(struct sp_flow, 64);

/* ---- fragments ------------------------------------------------------------------ */

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

/* ---- counters -------------------------------------------------------------------- */

struct sp_nic_count {
	__u64 admitted;
	__u64 dropped;
	__u64 admitted_bytes;
	__u64 dropped_bytes;
};
SP_ASSERT_SIZE(struct sp_nic_count, 32);

struct sp_rule_count {
	__u64 admitted; /* openings the rule let in */
	__u64 limited;	/* openings its limit refused */
	__u64 bytes;	/* of all packets of flows it let in, both ways */
	__u64 denied;	/* openings a deny rule refused */
};
SP_ASSERT_SIZE(struct sp_rule_count, 32);

/* Places in sp_counts, a per-CPU array of __u64. */
#define SP_COUNT_DROPS 0u		   /* + reason */
#define SP_COUNT_WOULD_DROPS SP_REASON_MAX /* + reason; observe mode */
#define SP_COUNT_EVENTS_SENT 128u
#define SP_COUNT_EVENTS_LOST 129u /* the ring was full */
#define SP_COUNT_EVENTS_HELD 130u /* over the per-second credit */
#define SP_COUNT_FLOWS_REFUSED 131u
#define SP_COUNT_HOOK_ADMITTED 136u /* + enum sp_hook */
#define SP_COUNT_HOOK_DROPPED 144u  /* + enum sp_hook */
#define SP_COUNTS 160u

#endif

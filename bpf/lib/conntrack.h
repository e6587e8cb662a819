/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_CONNTRACK_H
#define SALLYPORT_LIB_CONNTRACK_H
/*
 * What conntrack says of a packet: the tuple by which its connection was opened,
 * before the host's own NAT. Read by CO-RE; where the kernel has no conntrack there
 * is no NAT of its own either. The suffix keeps these declarations apart from the
 * kernel's, of which they are a part.
 */
#include "address.h"
#include "kernel_types.h"

#define SP_IPS_SEEN_REPLY 2u /* enum ip_conntrack_status: both sides have been heard */
#define SP_IPS_SRC_NAT 16u   /* its source was rewritten */
#define SP_IPS_DST_NAT 32u   /* its destination */
#define SP_IP_CT_IS_REPLY 3  /* enum ip_conntrack_info: from here on, of the reply direction */
#define SP_NFPROTO_IPV4 2    /* nf_conntrack_tuple.src.l3num */
#define SP_NFCT_INFO 7ul     /* the bits of sk_buff._nfct that hold it */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

union nf_inet_addr___sp {
	__u32 all[4];
};

union nf_conntrack_man_proto___sp {
	__be16 all;
};

struct nf_conntrack_man___sp {
	union nf_inet_addr___sp u3;
	union nf_conntrack_man_proto___sp u;
	__u16 l3num;
};

struct nf_conntrack_tuple___sp {
	struct nf_conntrack_man___sp src;
	struct {
		union nf_inet_addr___sp u3;
		union {
			__be16 all;
		} u;
		__u8 protonum;
	} dst;
};

struct nf_conntrack_tuple_hash___sp {
	struct nf_conntrack_tuple___sp tuple;
};

struct nf_conn___sp {
	struct nf_conntrack_tuple_hash___sp tuplehash[2]; /* as opened, and as answered */
	unsigned long status;
};

#pragma clang attribute pop

static __always_inline void set_nf_addr(struct sp_addr *to, const union nf_inet_addr___sp *from,
					__u16 family)
{
	if (family == SP_NFPROTO_IPV4)
		set_v4(to, from->all[0]);
	else
		__builtin_memcpy(to->words, from->all, 16);
}

/* The tuple by which `ct` was opened: its remote is the one who did. */
static __always_inline void read_opening(const struct nf_conn___sp *ct, struct sp_flow_key *key)
{
	union nf_inet_addr___sp src, dst;
	__u16 family;

	family = BPF_CORE_READ(ct, tuplehash[0].tuple.src.l3num);
	BPF_CORE_READ_INTO(&src, ct, tuplehash[0].tuple.src.u3);
	BPF_CORE_READ_INTO(&dst, ct, tuplehash[0].tuple.dst.u3);
	set_nf_addr(&key->remote, &src, family);
	set_nf_addr(&key->local, &dst, family);
	key->proto = BPF_CORE_READ(ct, tuplehash[0].tuple.dst.protonum);
	key->remote_port = bpf_ntohs(BPF_CORE_READ(ct, tuplehash[0].tuple.src.u.all));
	key->local_port = bpf_ntohs(BPF_CORE_READ(ct, tuplehash[0].tuple.dst.u.all));
}

/*
 * 1 when this host rewrote the destination of the packet's connection: *key is the
 * tuple as it was opened, its remote the one who did; *reply says which way this goes.
 */
static __always_inline int opened_before_nat(const struct sk_buff *skb, struct sp_flow_key *key,
					     int *reply)
{
	unsigned long nfct = skb->_nfct;
	const struct nf_conn___sp *ct = (const void *)(nfct & ~SP_NFCT_INFO);

	if (!ct || !bpf_core_type_exists(struct nf_conn___sp) ||
	    !(BPF_CORE_READ(ct, status) & SP_IPS_DST_NAT))
		return 0;
	*reply = (nfct & SP_NFCT_INFO) >= SP_IP_CT_IS_REPLY;
	read_opening(ct, key);
	/* Of a ping the id is there, and type and code here; a protocol without ports has none. */
	if (key->proto == SP_PROTO_ICMP || key->proto == SP_PROTO_ICMP6)
		key->local_port = key->remote_port;
	else if (!has_ports(key->proto))
		key->remote_port = key->local_port = 0;
	return 1;
}

#endif

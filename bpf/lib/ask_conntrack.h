/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_ASK_CONNTRACK_H
#define SALLYPORT_LIB_ASK_CONNTRACK_H
/*
 * XDP's questions to conntrack, which knows the connections behind this host's own NAT
 * when the flow table has lost them. By kfuncs (TCP and UDP; 5.18), which are there as
 * soon as conntrack is: the loader says so in sp_asks_conntrack.
 */
#include "conntrack.h"
#include "local.h"
#include "stand.h"

struct ct_opts {
	__s32 netns;
	__s32 error;
	__u8 proto;
	__u8 dir; /* filled in: 0: the tuple is the opener's, 1: the answerer's */
	__u8 spare[2];
};

/* Weak: only called where the loader has found them. */
extern struct nf_conn___sp *bpf_xdp_ct_lookup(struct xdp_md *ctx, struct bpf_sock_tuple *tuple,
					      __u32 tuple_len, struct ct_opts *opts,
					      __u32 opts_len) __ksym __weak;
extern void bpf_ct_release(struct nf_conn___sp *ct) __ksym __weak;

/* Who opened a connection whose addresses this host rewrites. */
enum translated {
	NOT_TRANSLATED = 0,
	ASKED_BY_PEER = 1, /* the remote end, at a port that is rewritten */
	ASKED_BY_HOST = 2, /* this host, by an address or port that is rewritten */
	ASKED_BEHIND = 3,  /* somebody behind this host */
};

/* Is there anything to ask? A host that routes nothing pays nothing. */
static __always_inline int knows_translated(const struct sp_flow_key *key)
{
	return sp_asks_conntrack && !sp_settings.forget_flows && (sp_has_nat || asking()) &&
	       (key->proto == SP_PROTO_TCP || key->proto == SP_PROTO_UDP);
}

static __always_inline __u32 tuple_of(const struct sp_flow_key *key, struct bpf_sock_tuple *tuple)
{
	if (is_mapped(&key->remote)) {
		tuple->ipv4.saddr = key->remote.words[3];
		tuple->ipv4.daddr = key->local.words[3];
		tuple->ipv4.sport = bpf_htons(key->remote_port);
		tuple->ipv4.dport = bpf_htons(key->local_port);
		return sizeof(tuple->ipv4);
	}
	__builtin_memcpy(tuple->ipv6.saddr, key->remote.words, 16);
	__builtin_memcpy(tuple->ipv6.daddr, key->local.words, 16);
	tuple->ipv6.sport = bpf_htons(key->remote_port);
	tuple->ipv6.dport = bpf_htons(key->local_port);
	return sizeof(tuple->ipv6);
}

/*
 * Of the connection whose packet arrives with this tuple; enum translated. *opened is the
 * tuple by which it was opened.
 */
static __noinline __u32 ask_conntrack(void *ctx, const struct sp_flow_key *key,
				      struct sp_flow_key *opened)
{
	struct ct_opts opts = {.netns = -1, .proto = key->proto};
	struct bpf_sock_tuple tuple = {};
	struct nf_conn___sp *ct;
	__u32 size = tuple_of(key, &tuple);
	__u64 status;

	if (!sp_asks_conntrack)
		return NOT_TRANSLATED;
	ct = bpf_xdp_ct_lookup(ctx, &tuple, size, &opts, sizeof(opts));
	if (!ct)
		return NOT_TRANSLATED;
	status = BPF_CORE_READ(ct, status);
	read_opening(ct, opened);
	bpf_ct_release(ct);
	if (!(status & (SP_IPS_SRC_NAT | SP_IPS_DST_NAT)))
		return NOT_TRANSLATED;
	/* Of what nobody has answered yet there is nothing to go on with. */
	if (opts.dir == 0)
		return status & SP_IPS_SEEN_REPLY ? ASKED_BY_PEER : NOT_TRANSLATED;
	return is_own(&opened->remote) ? ASKED_BY_HOST : ASKED_BEHIND;
}

#endif

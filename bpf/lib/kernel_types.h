/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_KERNEL_TYPES_H
#define SALLYPORT_LIB_KERNEL_TYPES_H
/* The few fields of kernel structures that are read, relocated by BTF (CO-RE). */
#include "base.h"
#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kernfs_node {
	__u64 id;
	const char *name;
};

struct cgroup_subsys_state {
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
};

struct sock_cgroup_data {
	struct cgroup *cgroup; /* 5.15 */
};

struct netns_ipv4 {
	int sysctl_tcp_rmem[3];
	__u8 sysctl_tcp_sack;
	__u8 sysctl_tcp_window_scaling;
	__u8 sysctl_tcp_timestamps;
};

struct net {
	__u64 net_cookie;
	struct netns_ipv4 ipv4;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	unsigned short skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
};

typedef struct {
	__u32 val;
} kuid_t;

struct sock {
	struct sock_common __sk_common;
	kuid_t sk_uid;
	__u16 sk_type;
	struct sock_cgroup_data sk_cgrp_data;
	int sk_rcvbuf;
	__u8 sk_userlocks; /* of four bits before 6.9 */
};

struct tcp_request_sock {
	__u32 snt_isn; /* the first sequence number of the SYN+ACK */
};

struct tcp_sock {
	__u32 snd_una;
	__u32 window_clamp;
};

struct socket {
	struct sock *sk;
};

struct css_set;
struct cred;

struct task_struct {
	int tgid;
	const struct cred *cred;
	struct css_set *cgroups;
	char comm[16];
};

struct bpf_prog_aux {
	char name[16];
};

struct bpf_prog {
	struct bpf_prog_aux *aux;
};

struct bpf_link {
	struct bpf_prog *prog;
};

struct bpf_xdp_link {
	struct bpf_link link;
};

struct bpf_xdp_entity {
	struct bpf_xdp_link *link;
};

struct net_device {
	char name[16];
	possible_net_t nd_net;
	int ifindex;
	unsigned int flags;
	struct bpf_xdp_entity xdp_state[3]; /* generic, native, on the card; 5.9 */
};

struct dst_entry {
	struct net_device *dev;
};

struct sk_buff {
	unsigned int len;
	struct net_device *dev;
	unsigned long _skb_refdst; /* its route, and in the lowest bit how it is held */
	__u16 network_header;
	unsigned char *head;
	unsigned long _nfct; /* conntrack's entry, and in the low bits enum ip_conntrack_info */
};

struct nf_hook_state {
	__u8 hook;
	__u8 pf;
	struct net_device *in;
	struct net_device *out;
};

struct bpf_nf_ctx {
	const struct nf_hook_state *state;
	struct sk_buff *skb;
};

#pragma clang attribute pop

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_PACKET_SOCKET_TYPES_H
#define SALLYPORT_LIB_PACKET_SOCKET_TYPES_H
/*
 * Fields of packet sockets and of who holds them. Where the kernel's BTF lacks one
 * (AF_PACKET or AF_XDP as a module), it is left out.
 */
#include "kernel_types.h"
#include "sallyport/abi/packet_socket.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct inode {
	unsigned long i_ino;
};

struct file {
	struct inode *f_inode;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct cred {
	kuid_t euid;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct packet_sock {
	unsigned long flags;
	int ifindex;
	__be16 num;
};

/* Before PACKET_QDISC_BYPASS was a flag. */
struct packet_sock___xmit {
	void *xmit;
};

struct xdp_sock {
	struct net_device *dev;
};

#pragma clang attribute pop

enum packet_sock_flags { PACKET_SOCK_QDISC_BYPASS = 6 };

#endif

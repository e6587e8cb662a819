// SPDX-License-Identifier: GPL-2.0-only
/* Who holds a socket of AF_PACKET or AF_XDP, in every namespace. Judges nothing. */
#include "lib/held_socket.h"
#include "lib/iterator_types.h"
#include "lib/packet_socket_types.h"

char LICENSE[] SEC("license") = "GPL";

static __always_inline void describe_packet_socket(struct sp_found_socket *f, struct sock *sk)
{
	struct packet_sock *po = (struct packet_sock *)sk;
	const struct packet_sock___xmit *old = (const struct packet_sock___xmit *)sk;

	if (!bpf_core_type_exists(struct packet_sock))
		return;
	f->ifindex = (__u32)BPF_CORE_READ(po, ifindex);
	f->protocol = bpf_ntohs(BPF_CORE_READ(po, num));
	if (bpf_core_enum_value_exists(enum packet_sock_flags, PACKET_SOCK_QDISC_BYPASS)) {
		__u32 bit = bpf_core_enum_value(enum packet_sock_flags, PACKET_SOCK_QDISC_BYPASS);

		f->bypass =
		    BPF_CORE_READ(po, flags) >> (bit & 63) & 1 ? SP_BYPASS_YES : SP_BYPASS_NO;
	} else if (bpf_core_field_exists(old->xmit)) {
		f->xmit = (__u64)BPF_CORE_READ(old, xmit);
	}
}

static __always_inline void describe_xdp_socket(struct sp_found_socket *f, struct sock *sk)
{
	struct xdp_sock *xs = (struct xdp_sock *)sk;

	if (bpf_core_type_exists(struct xdp_sock))
		f->ifindex = (__u32)BPF_CORE_READ(xs, dev, ifindex);
}

/* One struct sp_found_socket for each process that holds one. */
SEC("iter/task_file")
int sp_packet_find(struct bpf_iter__task_file *ctx)
{
	struct sp_found_socket f = {};
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct sock *sk;

	if (!task || !file)
		return 0;
	sk = held_socket(file);
	if (!sk)
		return 0;
	f.family = sk->__sk_common.skc_family;
	if (f.family == SP_AF_PACKET)
		describe_packet_socket(&f, sk);
	else if (f.family == SP_AF_XDP)
		describe_xdp_socket(&f, sk);
	else
		return 0;
	f.type = sk->sk_type;
	f.netns = sk->__sk_common.skc_net.net->net_cookie;
	f.inode = BPF_CORE_READ(file, f_inode, i_ino);
	f.cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	f.pid = (__u32)task->tgid;
	f.uid = BPF_CORE_READ(task, cred, euid.val);
	bpf_probe_read_kernel(f.comm, sizeof(f.comm), task->comm);
	/* No room: the kernel asks for this one again with a larger buffer. */
	return bpf_seq_write(ctx->meta->seq, &f, sizeof(f)) ? 1 : 0;
}

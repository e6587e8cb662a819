/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_UNCOUNTED_H
#define SALLYPORT_LIB_UNCOUNTED_H
/*
 * A rule that counts connections lets in none that it could not count: what no socket of
 * this host answers (a published port, a redirection), or one of a cgroup without sp_sock_ops.
 */
#include "beginning.h"
#include "kernel_types.h"
#include "socket.h"
#include "stand.h"

/* Is it the cgroup whose sockets sp_sock_ops hears of, or below? */
static __always_inline int is_followed(const struct cgroup *cgroup)
{
	if (sp_settings.host_level == 0)
		return 1;
	for (int i = 0; i < SP_CG_DEPTH_MAX && cgroup; i++) {
		if (BPF_CORE_READ(cgroup, kn, id) == sp_settings.host_cgroup)
			return 1;
		cgroup = (const struct cgroup *)BPF_CORE_READ(cgroup, self.parent);
	}
	return 0;
}

/* Has the port a listener whose connections are counted? */
static __noinline int can_be_counted(void *ctx, const struct stand *s)
{
	struct bpf_sock *sk = tcp_socket(ctx, &s->key, 0); /* nobody's port: never a connection */
	const struct tcp_sock *listener;
	int can = 0;

	if (!sk)
		return 0;
	listener = bpf_skc_to_tcp_sock(sk);
	if (listener)
		can = is_followed(((const struct sock *)listener)->sk_cgrp_data.cgroup);
	bpf_sk_release(sk);
	return can;
}

/* A SYN that a rule lets in which counts, to a port of which this host has no such socket. */
static __noinline int refuse_uncounted(void *ctx, const struct view *v, const struct stand *s,
				       struct finding *f)
{
	const struct sp_limit *limit;
	struct beginning b = {.limit = f->flags >> SP_RULE_LIMIT_SHIFT};

	if (!b.limit)
		return 0;
	limit = limit_of(v->slot, &b);
	if (!limit || !limit->connections || can_be_counted(ctx, s))
		return 0;
	f->reason = SP_REASON_NOT_COUNTED;
	f->cookie = 0;
	f->opened = 0;
	return 0;
}

#endif

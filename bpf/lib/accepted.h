/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_ACCEPTED_H
#define SALLYPORT_LIB_ACCEPTED_H
#include "owner.h"

/*
 * The peer opened it, says the stack, before its socket has sent a byte. sp_cg_egress learns
 * that from a SYN+ACK otherwise, and 6.1 shows it none over IPv6 (ip6_xmit() there names the
 * listener, and the packet belongs to the request); or from the listener at its port, which
 * is not found where the port is rewritten, and may be closed by then. Of a socket that is
 * older than the wall there is nothing to note.
 */
static __noinline int note_accepted(struct bpf_sock_ops *ops)
{
	struct bpf_sock *sk = ops->sk;
	struct sp_owner *o;

	if (!sk)
		return 0;
	o = bpf_sk_storage_get(&sp_owners, sk, 0, 0);
	if (!o)
		return 0;
	o->opened = SP_OPENED(SP_INGRESS);
	return 1;
}

#endif

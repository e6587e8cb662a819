/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_HELD_SOCKET_H
#define SALLYPORT_LIB_HELD_SOCKET_H
/* What an iterator over the open files of all tasks comes by. */
#include "iterator_types.h"

/* The socket it is at; null when the file is none. */
static __always_inline struct sock *held_socket(struct file *file)
{
	struct socket *socket = bpf_sock_from_file(file);

	return socket ? socket->sk : 0;
}

#endif

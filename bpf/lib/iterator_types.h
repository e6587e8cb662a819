/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_ITERATOR_TYPES_H
#define SALLYPORT_LIB_ITERATOR_TYPES_H
/* What iterators are handed. */
#include "kernel_types.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct file;

struct bpf_iter_meta;

struct bpf_map;

struct bpf_iter__bpf_sk_storage_map {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	struct sock *sk;
	void *value;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

#pragma clang attribute pop

#endif

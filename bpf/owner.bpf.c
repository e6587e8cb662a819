// SPDX-License-Identifier: GPL-2.0-only
/* Who made a socket, and which cgroup has which selectors. Judges nothing. */
#include "lib/held_socket.h"
#include "lib/iterator_types.h"
#include "lib/owner.h"

char LICENSE[] SEC("license") = "GPL";

/* A socket that cannot be named could pass for the kernel's: refused (EPERM). */
SEC("cgroup/sock_create")
int sp_sock_create(struct bpf_sock *sk)
{
	struct sp_owner *o = bpf_sk_storage_get(&sp_owners, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);

	if (!o)
		return 0;
	note_birth(o);
	/* The kernel's own number, as the backfill below has it: bpf_get_current_uid_gid()
	 * is the real user, and a socket belongs to the effective one. */
	o->uid = BPF_CORE_READ((const struct sock *)(const void *)sk, sk_uid.val);
	o->netns = bpf_get_netns_cookie(sk);
	return 1;
}

/* Set before the iterator is read: 1 spares the connections that run (--keep-connections). */
volatile __u32 sp_keep_running = 0;

/* A TCP connection; a listener's children would inherit what it is spared. */
static __always_inline int is_running(const struct sock *sk)
{
	__u8 state = sk->__sk_common.skc_state;

	return sk->sk_type == 1 && state != 7 &&
	       state != 10; /* SOCK_STREAM, TCP_CLOSE, TCP_LISTEN */
}

/* Run once at start: sockets that are older than the wall. */
SEC("iter/task_file")
int sp_owners_fill(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct sp_owner *o;
	struct sock *sk;

	if (!task || !file)
		return 0;
	sk = held_socket(file);
	if (!sk)
		return 0;
	if (sk->__sk_common.skc_family != 2 && sk->__sk_common.skc_family != 10)
		return 0;
	o = bpf_sk_storage_get(&sp_owners, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!o || o->cgroup)
		return 0;
	o->pid = (__u32)task->tgid;
	o->uid = sk->sk_uid.val;
	o->netns = sk->__sk_common.skc_net.net->net_cookie;
	o->cgroup = sk->sk_cgrp_data.cgroup->kn->id;
	if (sp_keep_running && is_running(sk))
		o->generation = SP_GENERATION_KEPT;
	bpf_probe_read_kernel(o->comm, sizeof(o->comm), task->comm);
	return 0;
}

/* The state of a cgroup is its parent's with its own name applied: abi/types.h. */
static __always_inline int step(__u32 slot, __u64 parent, const struct sp_cg_step *name,
				int is_slice, __u32 *next)
{
	struct sp_cg_key key = {.cgroup = parent, .slot = slot};
	const __u32 *state = bpf_map_lookup_elem(&sp_cgroups, &key);
	void *steps = bpf_map_lookup_elem(&sp_cg_steps, &slot);
	void *states = bpf_map_lookup_elem(&sp_cg_states, &slot);
	const struct sp_cg_state *s;
	const __u32 *found;
	__u32 index;

	if (!state || *state == 0 || !steps || !states)
		return 0;
	index = *state - 1;
	s = bpf_map_lookup_elem(states, &index);
	if (!s)
		return 0;
	((struct sp_cg_step *)name)->state = index;
	found = bpf_map_lookup_elem(steps, name);
	*next = found ? *found : is_slice ? s->other_slice : s->other;
	return 1;
}

/* len: of the name, without its zero. */
static __always_inline int ends_in_slice(const char *name, __u32 len)
{
	__u32 at = len - 6;

	if (len < 7 || len >= SP_CG_NAME)
		return 0;
	barrier_var(at);
	if (at > SP_CG_NAME - 7)
		return 0;
	return name[at] == '.' && name[at + 1] == 's' && name[at + 2] == 'l' &&
	       name[at + 3] == 'i' && name[at + 4] == 'c' && name[at + 5] == 'e';
}

SEC("tp_btf/cgroup_mkdir")
int sp_cg_mkdir(__u64 *ctx)
{
	struct cgroup *cgroup = (struct cgroup *)ctx[0];
	struct cgroup *parent = (struct cgroup *)cgroup->self.parent;
	struct sp_cg_step name = {};
	struct sp_cg_key key = {};
	__u64 parent_id;
	__u32 next;
	int is_slice;
	long len;

	if (!parent)
		return 0;
	key.cgroup = cgroup->kn->id;
	parent_id = BPF_CORE_READ(parent, kn, id); /* to the verifier it is no cgroup */
	len = bpf_probe_read_kernel_str(name.name, sizeof(name.name), cgroup->kn->name);
	if (len <= 1)
		return 0;
	is_slice = ends_in_slice(name.name, (__u32)len - 1);
	/* Cut off: it must not match what it only begins like. */
	if (len == sizeof(name.name)) {
		__builtin_memset(name.name, 0, sizeof(name.name));
		is_slice = 0;
	}
	for (__u32 slot = 1; slot < SP_SLOTS; slot++) {
		if (!step(slot, parent_id, &name, is_slice, &next))
			continue;
		key.slot = slot;
		next += 1;
		bpf_map_update_elem(&sp_cgroups, &key, &next, BPF_ANY);
	}
	return 0;
}

SEC("tp_btf/cgroup_rmdir")
int sp_cg_rmdir(__u64 *ctx)
{
	struct cgroup *cgroup = (struct cgroup *)ctx[0];
	struct sp_cg_key key = {.cgroup = cgroup->kn->id};

	for (__u32 slot = 1; slot < SP_SLOTS; slot++) {
		key.slot = slot;
		bpf_map_delete_elem(&sp_cgroups, &key);
	}
	return 0;
}

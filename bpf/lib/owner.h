/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_OWNER_H
#define SALLYPORT_LIB_OWNER_H
/*
 * Whose is a socket? Its storage is written in process context, where "current"
 * is right: at sock_create, and refreshed by who connects or sends. In softirq
 * "current" is whoever was interrupted. Every socket of a process has one (or
 * it is refused at birth, or older than the wall and backfilled); a socket
 * without is the kernel's own.
 */
#include "maps.h"
#include "view.h"

/* Direction of the opening, as sp_owner.opened keeps it. */
#define SP_OPENED(direction) ((__u8)((direction) + 1))

static __always_inline void note_current(struct sp_owner *o)
{
	o->pid = (__u32)(bpf_get_current_pid_tgid() >> 32);
	bpf_get_current_comm(o->comm, sizeof(o->comm));
}

/* At birth the current cgroup is what the kernel stamps on the socket. */
static __always_inline void note_birth(struct sp_owner *o)
{
	note_current(o);
	o->cgroup = bpf_get_current_cgroup_id();
}

/*
 * The uid is the one noted in the initial user namespace. bpf_get_socket_uid()
 * would translate it into the namespace's own, where anybody can be "root".
 */
static __always_inline __u32 identity_of(const struct view *v, __u64 cgroup,
					 const struct sp_owner *owner)
{
	struct sp_cg_key key = {.cgroup = cgroup, .slot = v->slot};
	__u32 slot = v->slot, class = 0, user = 0, index;
	const struct sp_cg_state *state;
	const __u32 *found;
	void *inner;

	if (v->policy->dims[SP_EGRESS].n_second == 1)
		return 0;
	found = bpf_map_lookup_elem(&sp_cgroups, &key);
	inner = bpf_map_lookup_elem(&sp_cg_states, &slot);
	if (found && *found && inner) {
		index = *found - 1;
		state = bpf_map_lookup_elem(inner, &index);
		if (state)
			class = state->cgroup_class;
	}
	inner = bpf_map_lookup_elem(&sp_users, &slot);
	if (owner && inner) {
		index = owner->uid;
		found = bpf_map_lookup_elem(inner, &index);
		if (found)
			user = *found;
	}
	return class * v->policy->n_users + user;
}

#endif

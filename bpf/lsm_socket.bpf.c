// SPDX-License-Identifier: GPL-2.0-only
/*
 * packet-sockets = "deny": no process below [host] cgroup gets a socket of AF_PACKET
 * or AF_XDP, which send past every hook on sockets and, some of them, past every hook
 * there is; but those of packet-socket-users. Loaded only where the kernel takes BPF
 * LSM programs, attached only once a policy denies.
 */
#include "lib/alone.h"
#include "lib/kernel_types.h"
#include "lib/owner.h"
#include "lib/settle.h"
#include "sallyport/abi/packet_socket.h"

char LICENSE[] SEC("license") = "GPL";

#define SP_EPERM 1

/* Read by the daemon after it has tried: are the hooks asked at all ("lsm=" names "bpf")? */
__u64 sp_sockets_asked = 0;

static __always_inline int is_packet_family(int family)
{
	return family == SP_AF_PACKET || family == SP_AF_XDP;
}

/* A cgroup that is not in the table, or a part of the slot that is missing: no user. */
static __always_inline int is_packet_user(__u32 slot, __u64 cgroup)
{
	struct sp_cg_key key = {.cgroup = cgroup, .slot = slot};
	const __u32 *found = bpf_map_lookup_elem(&sp_cgroups, &key);
	void *states = bpf_map_lookup_elem(&sp_cg_states, &slot);
	const struct sp_cg_state *state;
	__u32 index;

	if (!found || *found == 0 || !states)
		return 0;
	index = *found - 1;
	state = bpf_map_lookup_elem(states, &index);
	return state && state->flags & SP_CG_PACKET_USER;
}

/* The current process is about to make, get or use one. 0, or the error it shall see. */
static __always_inline int judge_current(int family)
{
	struct finding f = {.direction = SP_EGRESS};
	struct scene s = {.hook = SP_HOOK_SOCKET, .family = (__u16)family};
	struct sp_owner owner = {};
	struct packet p = {};
	struct view v;

	__sync_fetch_and_add(&sp_sockets_asked, 1);
	if (bpf_get_current_ancestor_cgroup_id((int)sp_settings.host_level) !=
	    sp_settings.host_cgroup)
		return 0;
	note_birth(&owner);
	f.reason = view_of(&v);
	if (f.reason == SP_REASON_NONE && v.policy->flags & SP_SLOT_PACKET_DENY &&
	    !is_packet_user(v.slot, owner.cgroup))
		f.reason = SP_REASON_PACKET_SOCKET;
	return settle(v.slot, &s, &f, &p, &owner) & SP_PASSES ? 0 : -SP_EPERM;
}

/* SOCK_PACKET of AF_INET has become AF_PACKET before this is asked. */
SEC("?lsm/socket_create")
int sp_lsm_create(__u64 *ctx)
{
	int family = (int)ctx[0], kern = (int)ctx[3];

	return !kern && is_packet_family(family) ? judge_current(family) : 0;
}

static __always_inline int judge_held(struct socket *socket)
{
	/* Loaded once: the verifier (6.12) believes in no other copy that it is not null. */
	struct sock *sk = socket ? socket->sk : 0;
	int family;

	if (!sk)
		return 0;
	family = sk->__sk_common.skc_family;
	return is_packet_family(family) ? judge_current(family) : 0;
}

/* Handed over by another process: SCM_RIGHTS, pidfd_getfd, a seccomp notifier. */
SEC("?lsm/file_receive")
int sp_lsm_receive(__u64 *ctx)
{
	return judge_held(bpf_sock_from_file((struct file *)ctx[0]));
}

/* What is older than the wall, or was inherited on the way from another cgroup. */
SEC("?lsm/socket_sendmsg")
int sp_lsm_sendmsg(__u64 *ctx)
{
	return judge_held((struct socket *)ctx[0]);
}

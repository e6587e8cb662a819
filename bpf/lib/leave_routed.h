/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_LEAVE_ROUTED_H
#define SALLYPORT_LIB_LEAVE_ROUTED_H
/* NIC out: what is routed, judged already or now, by what the wire shows. */
#include "bans.h"
#include "passing.h"
#include "relay.h"
#include "route.h"

/*
 * Has the hook for routed traffic judged it? Netfilter's judges whatever this namespace
 * routes. Before it, that hook is behind IP, and what IP sends bears the NIC's own address;
 * a frame that only crossed a bridge does not, one of an ipvlan does.
 */
static __always_inline int was_routed(const struct reader *r, const struct packet *p,
				      const struct sp_iface *nic, const struct sp_iface *in)
{
	__u8 mac[6];

	if (sp_settings.forward_hook == SP_FORWARD_AT_NIC)
		return 0;
	/* The bridge that hands over to IP takes a port's place as the input: this one did not. */
	if (in && in->marks & SP_IFACE_PORT)
		return 0;
	if (sp_settings.forward_hook == SP_FORWARD_NETFILTER && !is_routed_here(r->ctx))
		return 0;
	/* What a hook before IP took for the host's own, groups and broadcasts, may be routed too.
	 */
	if (sp_settings.forward_hook == SP_FORWARD_TC_INGRESS &&
	    (is_for_host(&p->dst) || !(in && (in->guarded || in->marks & SP_IFACE_JUDGES_ROUTED))))
		return 0;
	if (nic->link == SP_LINK_IP)
		return 1;
	if (read_bytes(r, 6, mac, 6))
		return 0;
	for (int i = 0; i < 6; i++)
		if (mac[i] != nic->mac[i])
			return 0;
	return 1;
}

/* Passed on as its hook left it, else judged here, by what the wire shows. */
static __always_inline void leave_routed(const struct reader *r, const struct view *v,
					 struct departure *d, const struct packet *p,
					 const struct sp_iface *nic, __u32 in_index,
					 struct finding *f)
{
	const struct sp_iface *in = bpf_map_lookup_elem(&sp_ifaces, &in_index);
	__u32 sides = d->stand.iface_class;
	__u8 write = d->stand.write;
	int relayed = is_own(&p->src);

	f->direction = SP_FORWARD;
	f->reason = SP_REASON_BANNED;
	if (is_banned(&p->src) || is_banned(&p->dst))
		return;
	if (!was_routed(r, p, nic, in)) {
		f->reason = SP_REASON_FRAGMENT;
		if (p->marks & SP_PKT_FRAGMENT)
			return;
		if (in && in->guarded)
			sides |= SP_ROUTED_STRANGER;
		else
			d->stand.source = source_of(in_index, &p->src);
		turn(&d->stand);
		d->stand.iface_class = class_of_iface(in, v->slot);
		if (relayed)
			d->stand.write = 0;
		judge_routed(r, v, &d->stand, p, sides, f);
		if (f->reason != SP_REASON_NONE)
			return;
	}
	f->reason = SP_REASON_NONE;
	if (!relayed)
		return;
	stand_of(&d->stand, p, 0);
	d->stand.write = write;
	d->stand.iface_class = sides & SP_ROUTED_CLASS;
	d->stand.source = source_before_nat(p, in_index);
	note_relay(v, &d->stand, p, f);
}

#endif

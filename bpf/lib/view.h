/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_VIEW_H
#define SALLYPORT_LIB_VIEW_H
/*
 * Which policy is in force for this packet: the control word is read once, and
 * everything after goes by the slot it named.
 */
#include "maps.h"

struct view {
	__u32 slot;
	const struct sp_slot *policy; /* never null once view_of() has succeeded */
};

static __always_inline __u32 slot_in_force(void)
{
	__u32 zero = 0;
	struct sp_control *control;
	__u64 word, deadline;

	if (sp_settings.ask_slot)
		return sp_settings.ask_slot;
	control = bpf_map_lookup_elem(&sp_control, &zero);
	if (!control)
		return 0;
	word = *(volatile __u64 *)&control->word;
	deadline = sp_control_deadline_ms(word);
	if (deadline && bpf_ktime_get_boot_ns() / 1000000 > deadline)
		return sp_control_fallback(word);
	return sp_control_active(word);
}

static __always_inline enum sp_reason view_of_slot(struct view *v, __u32 slot)
{
	const struct sp_slot *policy;

	v->slot = slot;
	v->policy = 0;
	if (slot == 0)
		return SP_REASON_NO_POLICY;
	policy = bpf_map_lookup_elem(&sp_slots, &slot);
	if (!policy || policy->generation == 0)
		return SP_REASON_NO_POLICY;
	v->policy = policy;
	return SP_REASON_NONE;
}

static __always_inline enum sp_reason view_of(struct view *v)
{
	return view_of_slot(v, slot_in_force());
}

#endif

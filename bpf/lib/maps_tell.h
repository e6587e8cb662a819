/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_MAPS_TELL_H
#define SALLYPORT_LIB_MAPS_TELL_H
/* What the programs tell: counters and events. */
#include "base.h"

/* SP_COUNT_*, per CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SP_COUNTS);
	__type(key, __u32);
	__type(value, __u64);
} sp_counts __weak SEC(".maps");

/* By sp_iface.counter: what arrived; + SP_NICS_MAX: what left. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2 * SP_NICS_MAX);
	__type(key, __u32);
	__type(value, struct sp_nic_count);
} sp_nic_counts __weak SEC(".maps");

/* By sp_rule.counter. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SP_COUNTERS_MAX);
	__type(key, __u32);
	__type(value, struct sp_rule_count);
} sp_rule_counts __weak SEC(".maps");

/* struct sp_event. Full: the event is lost and counted, the packet's verdict stands. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} sp_events __weak SEC(".maps");

/* The same of what leaves or tries to, where arrivals take no room and are not waited for. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} sp_leaving __weak SEC(".maps");

/* struct sp_capture_head and bytes. Full: the capture is lost and counted, its event is not. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} sp_captures __weak SEC(".maps");

/* struct sp_answer: DNS answers, of which the daemon has names. Full: no name is learned. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} sp_answers __weak SEC(".maps");

/* Spent this second, per CPU, by direction; all that leaves is SP_EGRESS. And by answers. */
#define SP_CREDIT_ANSWERS SP_DIRECTIONS
#define SP_CREDITS (SP_DIRECTIONS + 1)

struct sp_credit {
	__u32 second;
	__u32 used;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SP_CREDITS);
	__type(key, __u32);
	__type(value, struct sp_credit);
} sp_credits __weak SEC(".maps");

#endif

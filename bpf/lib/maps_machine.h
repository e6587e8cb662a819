/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_MAPS_MACHINE_H
#define SALLYPORT_LIB_MAPS_MACHINE_H
/* What the programs know of the machine. Written by the loader. */
#include "base.h"

/* By ifindex of the host's namespace. All zero: unknown link, XDP drops. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SP_IFINDEX_MAX);
	__type(key, __u32);
	__type(value, struct sp_iface);
} sp_ifaces __weak SEC(".maps");

/* By slot * SP_GLOB_GROUPS + group: the globs of [host] interfaces. Zero names nothing. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SP_SLOTS *SP_GLOB_GROUPS);
	__type(key, __u32);
	__type(value, struct sp_globs);
} sp_globs __weak SEC(".maps");

/* The machine's own addresses, SP_LOCAL_*. A miss: for somebody else, forward judges. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct sp_addr);
	__type(value, __u32);
} sp_local __weak SEC(".maps");

/* The settings of the installation, for the daemon that adopts it. Programs do not read it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sp_settings);
} sp_meta __weak SEC(".maps");

#endif

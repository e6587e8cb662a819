/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_NETFILTER_H
#define SALLYPORT_LIB_NETFILTER_H
/*
 * Before everything else in a netfilter program: it may not read the coarse clock (6.18
 * still), so it has the fine one, of the same origin, and its own copies of the functions
 * that the other programs share, since those are linked into one.
 */
#define SP_GLOBAL static __noinline __attribute__((unused))
#define sp_clock_ns bpf_ktime_get_ns

#define SP_NF_DROP 0
#define SP_NF_ACCEPT 1

#endif

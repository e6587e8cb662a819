/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_ALONE_H
#define SALLYPORT_LIB_ALONE_H
/*
 * Before everything else in a netfilter or LSM program: these may not read the coarse
 * clock (netfilter not on 6.18 still, tracing since 5.16), so they have the fine one, of
 * the same origin, and their own copies of the functions that the other programs share,
 * since those are linked into one.
 */
#define SP_GLOBAL static __noinline __attribute__((unused))
#define sp_clock_ns bpf_ktime_get_ns

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_BASE_H
#define SALLYPORT_LIB_BASE_H
/*
 * What every part stands on. The parsers are compiled natively too, by tests
 * that define SP_HOST: they see no helper and no map.
 */
#include <linux/types.h>
#include <linux/bpf.h>

#ifdef SP_HOST
#include <string.h>
#define __always_inline inline __attribute__((always_inline))
#define bpf_ntohs(x) __builtin_bswap16(x)
#define bpf_ntohl(x) __builtin_bswap32(x)
#define barrier_var(x) ((void)(x))
#else
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#endif

#include "sallyport/abi/control.h"
#include "sallyport/abi/event.h"
#include "sallyport/abi/limits.h"
#include "sallyport/abi/question.h"
#include "sallyport/abi/reason.h"
#include "sallyport/abi/types.h"

/*
 * A function that the verifier checks once, by its types alone, instead of once
 * per path that leads to it: without that the programs pass its limits. Weak,
 * so that the hooks' objects share one. Pointers may be null by its rules, and
 * what they point to must be initialised (before 6.3).
 */
#ifndef SP_GLOBAL /* alone.h has another */
#define SP_GLOBAL __weak __noinline
#endif

/*
 * 1 or 0. The loops over a set are free of branches: the verifier would follow each of
 * eight entries both ways, 2^8 paths a loop (6.18 needs minutes for that). The
 * barriers keep clang from making the branches again.
 */
static __always_inline __u64 is_zero(__u64 x)
{
	__u64 any = -x;

	barrier_var(any);
	any = (x | any) >> 63;
	barrier_var(any);
	return any ^ 1;
}

#ifndef SP_HOST
/* Which installation this object belongs to; set before load, frozen with it. */
extern const volatile struct sp_settings sp_settings;
/* Not 0: conntrack's kfuncs are there, and XDP may call them. Set before load as well. */
extern const volatile __u32 sp_asks_conntrack;
/* Not 0 once something was routed or rewritten: only then is conntrack asked about strays. */
extern __u32 sp_has_nat;
/* Read and written only when asking. */
extern struct sp_question sp_question;
extern struct sp_told sp_told;

/* The instance that is only asked must leave no trace. */
static __always_inline int asking(void)
{
	return sp_settings.ask_slot != 0;
}

/*
 * Programs talk of seconds where a flow's life is meant: the coarse clock
 * (5.11) is exact to a tick and three times cheaper than the fine one.
 */
#ifndef sp_clock_ns
#define sp_clock_ns bpf_ktime_get_coarse_ns
#endif

static __always_inline __u32 now_s(void)
{
	return (__u32)(sp_clock_ns() / 1000000000ull);
}
#endif

#endif

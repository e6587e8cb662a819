// SPDX-License-Identifier: Apache-2.0
#ifndef SALLYPORT_BENCH_LIMITER_H
#define SALLYPORT_BENCH_LIMITER_H
// The limiter of the programs (bpf/lib/limit.h), compiled natively: one rule, a table of its
// true size, and a clock in the caller's hand. One thread.
#include "sallyport/abi/limit.h"
#include "sallyport/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum limiter_answer { LIMITER_REFUSED, LIMITER_LET_IN, LIMITER_PROVE };

// Forgets everybody, and takes these words to hash by.
void limiter_begin(__u64 secret, __u64 more_secret);
// A SYN of the source at `now_ns`; proven: its ACK, with the cookie that it was asked for.
enum limiter_answer limiter_ask(const struct sp_limit* limit, const struct sp_addr* source,
                                int proven, __u64 now_ns);
// Is the source remembered?
int limiter_knows(const struct sp_limit* limit, const struct sp_addr* source);
// Entries of the table that somebody waits in, at `now_ns`.
__u32 limiter_waiting(__u64 now_ns);

#ifdef __cplusplus
}
#endif

#endif

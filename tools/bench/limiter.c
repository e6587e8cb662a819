// SPDX-License-Identifier: Apache-2.0
// Compiles bpf/lib/limit.h for the host: what the kernel gives the programs is stood in for.
#define SP_HOST
#define SP_GLOBAL static
#define bpf_htonl(x) __builtin_bswap32(x)
#include <linux/bpf.h>
#include <string.h>
#undef __always_inline       // glibc's; bpf/lib/base.h brings its own
#define SALLYPORT_LIB_MAPS_H // the maps are below
#include "lib/address.h"
#include "lib/window.h"
#include "limiter.h"

static struct sp_settings sp_settings;
static struct sp_limit_state state;
static struct sp_bucket_set sets[SP_BUCKET_SETS];
static __u64 clock_ns;
static const int sp_control, sp_slots, sp_limits; // asked for by may_begin() alone
static const int sp_limit_states, sp_buckets;

static void* bpf_map_lookup_elem(const int* map, const __u32* key) {
    if (map == &sp_buckets) return &sets[*key];
    return map == &sp_limit_states ? &state : 0;
}

static __u64 bpf_ktime_get_boot_ns(void) {
    return clock_ns;
}
static __u64 sp_clock_ns(void) {
    return clock_ns;
}
static int asking(void) {
    return 0;
}

#include "lib/limit.h"

void limiter_begin(__u64 secret, __u64 more_secret) {
    memset(&state, 0, sizeof(state));
    memset(sets, 0, sizeof(sets));
    sp_settings.secret[0] = secret;
    sp_settings.secret[1] = more_secret;
}

enum limiter_answer limiter_ask(const struct sp_limit* limit, const struct sp_addr* source,
                                int proven, __u64 now_ns) {
    const struct beginning b = {
        .src = *source, .limit = 1, .proto = SP_PROTO_TCP, .proven = proven != 0};

    clock_ns = now_ns;
    switch (begin_under(limit, &state, &b, now_ns)) {
    case SP_BEGIN_MAY:
        return LIMITER_LET_IN;
    case SP_BEGIN_PROVE:
        return LIMITER_PROVE;
    default:
        return LIMITER_REFUSED;
    }
}

int limiter_knows(const struct sp_limit* limit, const struct sp_addr* source) {
    const struct beginning b = {.src = *source};
    struct sp_bucket_key key = {};

    limited_source_of(&key, limit, &b);
    return bearing(bucket_set_of(&key), &key) != 0;
}

__u32 limiter_waiting(__u64 now_ns) {
    __u32 waiting = 0;

    for (__u32 s = 0; s < SP_BUCKET_SETS; s++)
        for (__u32 i = 0; i < SP_BUCKET_WAYS; i++) waiting += sets[s].due[i] > now_ns;
    return waiting;
}

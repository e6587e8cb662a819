// SPDX-License-Identifier: Apache-2.0
#pragma once
// Bytes of a buffer, as bpf/lib/reader_xdp.h has them of a frame: so the
// programs' parsers compile natively and run under sanitizers and fuzzers.
// Take the place of a reader: include this before bpf/lib/parse_l4.h.
#define SALLYPORT_LIB_READER_H
#ifndef SP_HOST
#define SP_HOST
#endif
#include <cstring>
#include <linux/bpf.h>
#undef __always_inline // glibc's; bpf/lib/base.h brings its own
#include "lib/base.h"

struct reader {
    const __u8* bytes;
    __u32 len;
};

// 0, or negative when the buffer ends before.
static inline int read_bytes(const reader* r, __u32 offset, void* to, __u32 len) {
    if (offset > r->len || len > r->len - offset) return -1;
    __builtin_memcpy(to, r->bytes + offset, len);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SALLYPORT_ABI_BASE_H
#define SALLYPORT_ABI_BASE_H
/* What all of the ABI is made of. */
#include <linux/types.h>
#include "limits.h"

#ifdef __cplusplus
#define SP_ASSERT_SIZE(type, size) static_assert(sizeof(type) == (size), #type)
#else
#define SP_ASSERT_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)
#endif

/* An address, in network byte order; the two halves are for comparing only. */
struct sp_addr {
	union {
		__u8 bytes[16];
		__u32 words[4];
		__u64 halves[2];
	};
};
SP_ASSERT_SIZE(struct sp_addr, 16);

enum sp_direction { SP_INGRESS = 0, SP_EGRESS = 1, SP_FORWARD = 2, SP_DIRECTIONS = 3 };

#endif

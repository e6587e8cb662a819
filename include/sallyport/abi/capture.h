/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SALLYPORT_ABI_CAPTURE_H
#define SALLYPORT_ABI_CAPTURE_H
/*
 * The record in the ring buffer sp_captures: the beginning of a packet that an event is
 * about. It follows its event, which may be in another ring, and is found by the time and
 * the CPU that both bear: on one CPU no two events have the same time. Host byte order.
 */
#include "types.h"

#define SP_CAPTURE_MAX 2048u /* bytes of a packet, at most */
#define SP_CAPTURE_FEW 256u  /* a record has room for so many, or for the most */
#define SP_CAPTURE_HEAD 24u

enum sp_capture_layer {
	SP_CAPTURE_FRAME = 0, /* from the Ethernet header on */
	SP_CAPTURE_IP = 1,    /* from the IP header on */
};

struct sp_capture_head {
	__u64 at_ns;  /* sp_event.at_ns */
	__u32 len;    /* of the packet, from `layer` on */
	__u16 cpu;    /* sp_event.cpu */
	__u16 kept;   /* bytes that follow and are the packet's; what is behind them is not */
	__u8 version; /* SP_LAYOUT */
	__u8 layer;   /* enum sp_capture_layer */
	__u16 spare[3];
};
SP_ASSERT_SIZE(struct sp_capture_head, 24);

#endif

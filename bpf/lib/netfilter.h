/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_NETFILTER_H
#define SALLYPORT_LIB_NETFILTER_H
/* Before everything else in a netfilter program. */
#include "alone.h"

#define SP_NF_DROP 0
#define SP_NF_ACCEPT 1

#endif

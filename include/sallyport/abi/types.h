/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SALLYPORT_ABI_TYPES_H
#define SALLYPORT_ABI_TYPES_H
/*
 * Map keys and values. No padding that the compiler could insert; sizes are
 * asserted here for BPF C and C++ alike. Numbers are in host byte order unless
 * the type says __be. IPv4 addresses are carried as ::ffff:a.b.c.d.
 */
#include "base.h"
#include "lines.h"
#include "ban.h"
#include "challenge.h"
#include "answer.h"
#include "decision.h"
#include "identity.h"
#include "machine.h"
#include "flow.h"
#include "counts.h"
#include "limit.h"
#include "connection.h"

#endif

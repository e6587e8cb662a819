/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_MAPS_H
#define SALLYPORT_LIB_MAPS_H
/*
 * Every map. Weak, so that the hooks' objects share one of each when they are
 * linked. Sizes that depend on the policy are set by the loader; "full" and
 * "missing" never mean pass.
 */
#include "maps_policy.h"
#include "maps_bans.h"
#include "maps_identity.h"
#include "maps_machine.h"
#include "maps_memory.h"
#include "maps_connections.h"
#include "maps_cookies.h"
#include "maps_tell.h"

#endif

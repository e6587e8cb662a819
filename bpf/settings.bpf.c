// SPDX-License-Identifier: GPL-2.0-only
/* The one definition that the hooks' objects share when they are linked. */
#include "lib/base.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct sp_settings sp_settings = {};

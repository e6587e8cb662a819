// SPDX-License-Identifier: GPL-2.0-only
/* What the hooks' objects share when they are linked, and its one definition. */
#include "lib/base.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct sp_settings sp_settings = {};
const volatile __u32 sp_asks_conntrack = 0;
__u32 sp_has_nat = 0;
struct sp_question sp_question = {};
struct sp_told sp_told = {};

/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef SALLYPORT_ABI_BAN_H
#define SALLYPORT_ABI_BAN_H
/*
 * Bans: tries from prefix to the end of the ban, and a bitmap in front of them.
 *
 * The longest prefix alone is asked, so each entry says what holds for it with all
 * that cover it: the latest end among them. User space keeps it so. An entry may
 * also say that nothing is banned there: a zone of [bans] never inside of a ban.
 */
#include "lines.h"

/* Value of sp_bans4 and sp_bans6, by sp_v4_key and sp_v6_key. */
struct sp_ban {
	__u64 until_ns; /* CLOCK_BOOTTIME; 0: for ever */
};
SP_ASSERT_SIZE(struct sp_ban, 8);

/* until_ns: over since ever. */
#define SP_BAN_NEVER 1ull

/*
 * sp_ban_bits holds a bit for what sp_v6_bit() makes of an address's first bits and
 * the number of a level, both families in one. An entry of the tries sets the bit of
 * the longest level that is not longer than itself; one that is shorter than the
 * shortest level sets those of all that it contains. Of IPv6 they are SP_V6_LEVEL_16, _32
 * and _48; IPv4's 32 bits stand first among the 48.
 */
#define SP_BAN_LEVEL_V4_8 3u
#define SP_BAN_LEVEL_V4_16 5u
#define SP_BAN_LEVEL_V4_24 6u

/* The one value of sp_ban_state. All zero: nobody is banned. */
struct sp_ban_state {
	__u32 levels; /* 1 << level, of those in use */
	__u32 active; /* bans, for who asks; programs do not read it */
};
SP_ASSERT_SIZE(struct sp_ban_state, 8);

#endif

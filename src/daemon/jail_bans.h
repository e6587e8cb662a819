// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the jails ask for, done.
#include "daemon/jail_keeper.h"
#include "daemon/wall.h"

namespace sallyport {

// The jails of this policy, which is in force, from now on.
[[nodiscard]] WallNews jails_of(const PolicySource& source, JailKeeper& jails, Wall& wall);

// Reads what the logs have and bans whom the jails name, before it returns. Where the network
// of a source may not be banned as a whole the source alone is. A ban that is refused (this
// host, a zone of [bans] never, where root is logged in from) or fails is told once, however
// often it comes again.
[[nodiscard]] WallNews pump_jails(JailKeeper& jails, Wall& wall);

} // namespace sallyport

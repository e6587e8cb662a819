// SPDX-License-Identifier: Apache-2.0
#pragma once
// The wall as a start finds or builds it.
#include "daemon/boot_policy.h"
#include "daemon/wall.h"

namespace sallyport {

// What the pins and the state directory say is to be in force. In the place of another version's
// wall as on bare ground: what that one enforces cannot be read.
[[nodiscard]] BootPolicy choose_policy(const Pins& pins, const RunOptions& options);

// Where nothing of this layout stands, boot.source is needed. What stands is adopted, with the
// policy that it has: another one in the file is not applied, and that is logged. When the last
// good policy cannot be put into force, `boot` becomes the one that shuts; that is said where it
// is seen. In the place of another version's wall it is an error, and that one stands.
[[nodiscard]] Result<Wall> stand_up(const RunOptions& options, Pins pins, BootPolicy& boot,
                                    WallNews& news);

// A start that enforces where nothing did so far, given in an ssh session which nobody has seen
// survive it: conflict, with what to do instead. So is one given by nobody's session, a service
// manager's, that would shut out somebody who is logged in over ssh. --force, a policy that
// observes, a session by way of another network namespace: no error.
[[nodiscard]] Status refuse_leap(const Pins& pins, const BootPolicy& boot,
                                 const RunOptions& options);

// The wall of another version is left standing when the last good policy cannot be used, and,
// without --force, when a panic is on: conflict, with what to do.
[[nodiscard]] Status refuse_takeover(const Pins& pins, const BootPolicy& boot,
                                     const RunOptions& options);

// SIGTERM, SIGINT and SIGHUP are to be read. Before anything is opened, so that no thread or
// child misses them.
void block_signals();

} // namespace sallyport

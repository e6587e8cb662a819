// SPDX-License-Identifier: Apache-2.0
#pragma once
// Before the network of a boot: the wall as it last was good, without a daemon.
#include "daemon/daemon.h"

namespace sallyport {

// What stands is left as it is. Exit code: 0; 1 when the last good policy cannot be used and
// the host is shut instead, or refuse_leap() objects; 2 when there is none and the policy file has
// errors.
[[nodiscard]] Result<int> restore_wall(const RunOptions& options);

} // namespace sallyport

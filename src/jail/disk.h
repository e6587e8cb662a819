// SPDX-License-Identifier: Apache-2.0
#pragma once
// The files of jails and filters on the disk.
#include "jail/config_set.h"

#include <cstdint>

namespace sallyport::jail {

// What a daemon obeys must not be writable by others than root and its own user; what
// is only looked at may be anybody's.
enum class Trust : std::uint8_t { owner, anybody };

[[nodiscard]] FileWorld disk_world(Trust trust);

} // namespace sallyport::jail

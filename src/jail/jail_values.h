// SPDX-License-Identifier: Apache-2.0
#pragma once
// The values of one jail's section into its settings.
#include "jail/ini.h"
#include "jail/settings.h"

namespace sallyport::jail {

// Everything but the filter's own keys. What has no effect here is told in `notes`; an
// error means that the jail cannot be used.
[[nodiscard]] Status take_jail_values(const Options& values, JailSettings& jail, Notes& notes);

} // namespace sallyport::jail

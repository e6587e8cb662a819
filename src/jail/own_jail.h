// SPDX-License-Identifier: Apache-2.0
#pragma once
// A [[jail]] of our policy as a jail.
#include "jail/config_set.h"
#include "jail/settings.h"
#include "policy/jails.h"

#include <string>

namespace sallyport::jail {

// `policy_file` is where the jail stands, for messages. A filter named in it is read
// from `directory`/filter.d, or from its path when it begins with '/'.
[[nodiscard]] Result<JailSettings> settings_of(const JailRule& rule, const std::string& policy_file,
                                               const FileWorld& world,
                                               const std::string& directory);

} // namespace sallyport::jail

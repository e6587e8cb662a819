// SPDX-License-Identifier: Apache-2.0
#pragma once
// [[jail]] and [fail2ban]. Expressions are checked where they are compiled (src/jail).
#include "config/fields.h"
#include "config/zones.h"
#include "policy/jails.h"

#include <vector>

namespace sallyport::config {

[[nodiscard]] std::vector<JailRule> read_jails(Fields& root, Zones& zones);
[[nodiscard]] Fail2banFiles read_fail2ban(Fields& root);

} // namespace sallyport::config

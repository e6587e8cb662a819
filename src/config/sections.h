// SPDX-License-Identifier: Apache-2.0
#pragma once
// The sections of a policy file that are one table each. A section that is not
// there has its defaults; `root` is the whole document.
#include "config/fields.h"
#include "config/zones.h"
#include "policy/policy.h"

namespace sallyport::config {

[[nodiscard]] Host read_host(Fields& root);
[[nodiscard]] PeerSet read_exfil(Fields& root, Zones& zones);
[[nodiscard]] Essentials read_essentials(Fields& root, Zones& zones);
[[nodiscard]] Flows read_flows(Fields& root);
[[nodiscard]] Events read_events(Fields& root);

} // namespace sallyport::config

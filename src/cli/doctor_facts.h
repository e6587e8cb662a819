// SPDX-License-Identifier: Apache-2.0
#pragma once
// What `doctor` reads of this machine. Nothing is changed, and nothing but nft is run.
#include "daemon/paths.h"
#include "doctor/facts.h"

namespace sallyport {

[[nodiscard]] doctor::Facts read_facts(const Paths& paths);
// Of these only what tells of other firewalls.
[[nodiscard]] doctor::Facts read_firewall_facts();

} // namespace sallyport

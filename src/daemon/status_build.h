// SPDX-License-Identifier: Apache-2.0
#pragma once
// The status of a standing wall, from its maps, its hooks and its record.
#include "base/result.h"
#include "daemon/enforced.h"
#include "daemon/status.h"
#include "event/event.h"
#include "kernel/hooks.h"
#include "kernel/interfaces.h"
#include "kernel/maps.h"

#include <vector>

namespace sallyport {

[[nodiscard]] Result<StatusView> build_status(const Maps& maps, const std::vector<HookState>& hooks,
                                              const Enforced& enforced);

// Names that no NIC has yet, and globs as well when none of all matches.
[[nodiscard]] std::vector<std::string> awaited(const std::vector<std::string>& globs,
                                               const std::vector<Interface>& nics);

// `event` is one of Publisher::socket_event.
[[nodiscard]] PacketSocketStatus packet_socket_status(const Event& event);

} // namespace sallyport

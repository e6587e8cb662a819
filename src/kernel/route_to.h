// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which way this host would send a packet. Asked of the routing table: no socket is made,
// which our own hooks would judge.
#include "base/ip.h"
#include "base/result.h"

#include <optional>

namespace sallyport {

// The interface's index; of the host's own addresses loopback's. nullopt: there is no route.
// Of the calling thread's network namespace.
[[nodiscard]] Result<std::optional<unsigned>> route_to(const Address& address);

} // namespace sallyport

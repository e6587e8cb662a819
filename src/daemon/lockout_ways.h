// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which guarded NICs judge what comes for an address: the one that has it, or what lies below.
#include "base/ip.h"
#include "base/result.h"
#include "kernel/interfaces.h"
#include "policy/policy.h"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sallyport {

// Guarded NICs that a packet passes one after the other: each has to let it in.
using WayIn = std::vector<const Interface*>;
// One of them is taken, and nobody can say which: ports of a bridge or a bond.
using WaysIn = std::vector<WayIn>;

// By its globs; loopback never is.
[[nodiscard]] bool guards(const Policy& policy, const Interface& interface);

// What comes for `local`, an entry for each interface that has the address. A VLAN lies on its
// NIC, a bridge or bond on its ports, unless it is guarded itself and so judges for them. Where
// nothing guarded is found (lo, a dummy, an address that nobody has) it is by the route to the
// peer, `route`, an index; where there is none, any guarded NIC. Empty: nobody judges it, as
// what comes by a NIC that is not guarded. The pointers are into `interfaces`.
[[nodiscard]] std::vector<WaysIn> ways_in(const Policy& policy, const Address& local,
                                          std::span<const Interface> interfaces,
                                          const std::function<std::optional<unsigned>()>& route);

struct Shut {
    std::vector<std::string> every; // way is refused: by what, a line for each
    std::vector<std::string> some;  // ways are, and another is not
};
// `refuses` says why that NIC does, a line; nothing when it lets in.
[[nodiscard]] Result<Shut>
find_shut(const std::vector<WaysIn>& entries,
          const std::function<Result<std::optional<std::string>>(const Interface&)>& refuses);

} // namespace sallyport

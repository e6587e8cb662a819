// SPDX-License-Identifier: Apache-2.0
#pragma once
// Addresses into few networks, and into the zones that a policy knows.
#include "base/ip.h"
#include "config/parse.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sallyport::learn {

// Not routed on the internet: RFC 1918, 6598, 4193, link-local, and what is multicast.
[[nodiscard]] bool is_inside(const Address& address);

struct Network {
    Prefix prefix;
    std::vector<Address> seen{}; // in it
    bool is_widened = false;     // for want of room: it holds more than was near
};

// Exact addresses; three or more of one /24 or /64 are that network. When these are more than
// `most`, those inside become /16 and /48, and then the private networks themselves. Public
// ones never grow: there may be more than `most`.
[[nodiscard]] std::vector<Network> networks_of(const std::vector<Address>& addresses,
                                               std::size_t most);

// Zones of the policy that a rule may be for. Left out are lists of whom to ban, those that hold
// half the world, and those of more than 1024 networks.
class KnownZones {
  public:
    explicit KnownZones(const ParsedPolicy& policy);

    // Of the zones that hold the address there, that which does so most closely; "" when none
    // does. Without an interface only zones that ask for none.
    [[nodiscard]] std::string of(const Address& address, const std::string& interface) const;
    [[nodiscard]] bool holds(const std::string& zone, const Address& address,
                             const std::string& interface) const;

  private:
    std::vector<NamedZone> zones_;
};

} // namespace sallyport::learn

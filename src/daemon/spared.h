// SPDX-License-Identifier: Apache-2.0
#pragma once
// Whom an automatic ban leaves alone, beside whom no ban touches (Bans): who this host cannot
// do without, and who is logged in.
#include "base/ip.h"
#include "policy/policy.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sallyport {

// What the machine says of it now.
struct SparedWorld {
    std::function<std::vector<Address>()> gateways;  // next hops of the default routes
    std::function<std::vector<Address>()> resolvers; // configured by address
    std::function<std::vector<Address>()> sessions;  // where root is logged in from
};
[[nodiscard]] SparedWorld system_spared_world();

class Spared {
  public:
    // The rules are read when it is asked: they outlive it.
    Spared(const std::vector<Rule>& rules, const SparedWorld& world);

    // Why nobody of that network is banned by itself: what in it, or around it, is spared.
    [[nodiscard]] std::optional<std::string> why(const Prefix& network) const;
    // The addresses alone, for who asks whether they have changed.
    struct One {
        Address address;
        std::string what;
        bool operator==(const One&) const = default;
    };
    [[nodiscard]] const std::vector<One>& addresses() const { return addresses_; }

  private:
    std::vector<One> addresses_;
    const std::vector<Rule>* rules_;
};

// What an allowing egress rule names beside "any", 0.0.0.0/0 and ::/0: the first that overlaps.
[[nodiscard]] std::optional<std::string> egress_destination(const std::vector<Rule>& rules,
                                                            const Prefix& network);

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
#pragma once
// Whom a policy lets open what: the exact set of sources, and its name in zones. Decides as
// policy/evaluate.h does (allowed when an allow rule matches and no deny rule), which a test
// holds it to.
#include "audit/address_set.h"
#include "config/parse.h"
#include "policy/policy.h"

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace sallyport::audit {

struct Opened {
    AddressSet sources;
    std::vector<std::size_t> rules; // that allow it to somebody there, in file order
};

struct SourceNames {
    std::vector<std::string> from;     // zones that are wholly in; or "any" alone
    std::vector<std::string> partly;   // zones of which some is
    std::vector<std::string> networks; // what no whole zone names; at most kNetworksShown
    std::size_t networks_left_out = 0;
    bool is_any = false; // every address of the families asked about
};
inline constexpr std::size_t kNetworksShown = 32;

class Reach {
  public:
    Reach(Policy policy, std::vector<NamedZone> zones);
    [[nodiscard]] const Policy& policy() const { return policy_; }

    // Openings that arrive on that interface for this host.
    [[nodiscard]] const Opened& ingress(const std::string& interface, std::uint8_t proto,
                                        std::uint16_t port);
    // The same for what is routed from there to that destination.
    [[nodiscard]] Opened forward(const std::string& interface, const Address& destination,
                                 std::uint8_t proto, std::uint16_t port);
    // Every allow rule of that direction that speaks of it, on whichever interface.
    [[nodiscard]] std::vector<std::size_t> rules_for(Direction direction, std::uint8_t proto,
                                                     std::uint16_t port) const;
    [[nodiscard]] SourceNames names(const AddressSet& sources, const std::string& interface,
                                    const AddressSet& families);

  private:
    [[nodiscard]] const AddressSet& set_of(const PrefixList& list);
    [[nodiscard]] AddressSet set_of(const PeerSet& peers, const std::string& interface);

    Policy policy_;
    std::vector<NamedZone> zones_;
    std::map<PrefixList, AddressSet> lists_;
    std::map<std::tuple<std::string, std::uint8_t, std::uint16_t>, Opened> asked_;
};

} // namespace sallyport::audit

// SPDX-License-Identifier: Apache-2.0
#pragma once
// The ways by which packets come to a listener: interfaces, published ports, routing.
#include "audit/judge.h"

namespace sallyport::audit {

class Ways {
  public:
    // All must outlive this.
    Ways(const Machine& machine, Reach* reach, Wall wall);

    // Every way with somebody at its end.
    [[nodiscard]] std::vector<Way> to(const Listener& listener);
    // Those publications that lead to it.
    [[nodiscard]] std::vector<Publication> published(const Listener& listener) const;
    // The allow rules that declare it, by index.
    [[nodiscard]] std::vector<std::size_t> declared(const Listener& listener) const;
    [[nodiscard]] const Place& place_of(const Listener& listener) const;

  private:
    [[nodiscard]] std::optional<Way> by_nic(const Nic& nic, const Listener& listener,
                                            std::uint16_t port);
    void by_interfaces(const Listener& listener, std::vector<Way>& ways);
    void by_publication(const Listener& listener, std::vector<Way>& ways);
    void by_routing(const Listener& listener, std::vector<Way>& ways);
    // Names of the interfaces whose rules judge what comes in by it; empty: not guarded.
    struct Guards {
        std::vector<std::string> all;    // a NIC and its VLANs: every one must let it in
        std::vector<std::string> either; // ports of a bond or bridge: one is enough
    };
    [[nodiscard]] Guards guards(const Place& place, const Nic& nic) const;

    const Machine& machine_;
    Reach* reach_;
    bool rules_hold_;
};

// Sources that the listener can hear at all.
[[nodiscard]] AddressSet families_of(const Listener& listener);
[[nodiscard]] bool is_loopback(const Address& address);

} // namespace sallyport::audit

// SPDX-License-Identifier: Apache-2.0
#pragma once
// Under what name this host looked an address up, by the answers that were seen (sp_answers).
// Nobody is asked: a lookup by address would tell a stranger's resolver of what is refused here,
// and its answer would be the stranger's word.
#include "base/ip.h"
#include "event/dns_answer.h"

#include <chrono>
#include <cstddef>
#include <list>
#include <span>
#include <string>
#include <unordered_map>

namespace sallyport {

class SeenNames {
  public:
    using Time = std::chrono::steady_clock::time_point;
    struct Bounds {
        std::size_t addresses = 65536; // in all; beyond, what was learned first is forgotten
        std::size_t of_a_name = 64;    // beyond, of that name
        // A connection outlives its name's time to live, and what never ends is not kept for ever.
        std::chrono::seconds least = std::chrono::minutes(10);
        std::chrono::seconds most = std::chrono::days(1);
    };
    SeenNames() = default;
    explicit SeenNames(const Bounds& bounds) : bounds_(bounds) {}

    // A record of the ring. What is none, or no answer with addresses, teaches nothing.
    void take_record(std::span<const std::byte> record);
    void learn(const DnsAnswer& answer, Time at);
    // The name that it was last looked up by; "" when none was, or too long ago.
    [[nodiscard]] std::string name_of(const Address& address, Time now) const;
    void forget_all();
    [[nodiscard]] std::size_t size() const { return known_.size(); }

  private:
    struct Known {
        std::string name;
        Time until{};
        std::list<Address>::iterator in_order{};
        std::list<Address>::iterator in_name{};
    };
    struct Hash {
        std::size_t operator()(const Address& address) const;
    };
    void learn_one(const std::string& name, const DnsAnswer::Found& found, Time at);
    void forget(const Address& address);

    Bounds bounds_;
    std::unordered_map<Address, Known, Hash> known_;
    std::list<Address> order_; // the one that was learned first in front
    std::unordered_map<std::string, std::list<Address>> by_name_; // in the same order
};

} // namespace sallyport

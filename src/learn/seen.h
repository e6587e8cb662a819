// SPDX-License-Identifier: Apache-2.0
#pragma once
// Events into who opens what. A refused opening shows in more than one event: at connect and
// as a packet, at the NIC without its process, by its answers, and as segments of what would
// have been cut. All of these become one thing here. Memory is bounded whatever comes: what
// finds no room is counted.
#include "event/event.h"
#include "learn/served.h"
#include "learn/things.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sallyport::learn {

struct Bounds {
    std::size_t peers = 65536;     // of all services together
    std::size_t peers_each = 4096; // of one
    std::size_t services = 4096;
    std::size_t closed_ports = 1024;
    std::size_t touching = 16384; // sources that are watched for touching many ports
    std::size_t refused = 1024;
};

class Seen {
  public:
    explicit Seen(Bounds bounds = {}) : bounds_(bounds) {}

    // Beside what was served before; called at least once, or nothing is known of listeners.
    void serve(const std::vector<Served>& served);
    void add(const Event& event);
    void add_unreadable() { ++unreadable_; }
    // Something happened to the stream itself.
    void add_loss(std::string sentence);

    // Does a source touch so many ports that it is no client?
    [[nodiscard]] bool is_scanner(const Address& source) const;

    using Peers = std::map<Peer, Tally>;
    [[nodiscard]] const std::map<Service, Peers>& services() const { return services_; }
    [[nodiscard]] const std::map<Service, Aside>& crowds() const { return crowds_; }
    [[nodiscard]] const std::map<Port, Aside>& closed() const { return closed_; }
    // To port 0, or without the port or ICMP type that its protocol has: no rule can name it.
    [[nodiscard]] const std::map<Portless, Aside>& portless() const { return portless_; }
    [[nodiscard]] const std::map<Refused, Aside>& refused() const { return refused_; }
    [[nodiscard]] const std::map<std::string, std::uint64_t>& admitted() const { return admitted_; }
    [[nodiscard]] const Aside& no_room() const { return no_room_; }
    [[nodiscard]] const std::vector<Served>& served() const { return served_; }
    [[nodiscard]] bool knows_served() const { return knows_served_; }
    // Empty: everything that the stream carried is here.
    [[nodiscard]] std::vector<std::string> losses() const;
    [[nodiscard]] std::uint64_t events() const { return events_; } // would-drop, with repeats
    [[nodiscard]] std::uint64_t drops() const { return drops_; }   // that were enforced
    [[nodiscard]] WallTime first() const { return first_; }
    [[nodiscard]] WallTime last() const { return last_; }

  private:
    void follow(const Event& event);
    void take(const Event& event);
    void put(const Service& service, const Peer& peer, const Event& event, bool opens);
    void set_aside(const Event& event, const Address& source, const Address& destination,
                   bool opens);
    void touch(const Address& source, Port port);
    bool is_answer(const Event& event) const;

    Bounds bounds_;
    std::map<Service, Peers> services_;
    std::map<Service, Aside> crowds_;
    std::map<Port, Aside> closed_;
    std::map<Portless, Aside> portless_;
    std::map<Refused, Aside> refused_;
    std::map<std::string, std::uint64_t> admitted_; // rules with log = "new"
    std::map<Address, std::set<Port>> touched_;
    std::set<std::tuple<Direction, std::uint8_t, Address, Address, std::uint16_t>> open_;
    std::vector<Served> served_;
    bool knows_served_ = false;
    Aside no_room_;
    std::size_t peers_ = 0;
    std::uint64_t events_ = 0, drops_ = 0, unreadable_ = 0, lost_ = 0, gaps_ = 0, restarts_ = 0;
    std::uint64_t seq_ = 0;
    WallTime first_{}, last_{};
    std::vector<std::string> losses_;
};

void count(Aside& aside, const Event& event, const std::optional<Address>& source);

} // namespace sallyport::learn

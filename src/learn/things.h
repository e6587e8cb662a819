// SPDX-License-Identifier: Apache-2.0
#pragma once
// The things that events are about, and what is counted of each.
#include "event/event.h"
#include "policy/rule.h"

#include <compare>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

namespace sallyport::learn {

// Those that a rule may name ports of. Without `ports` it would be for all of them, so what came
// to no port that can be named is no Service.
[[nodiscard]] constexpr bool has_ports(std::uint8_t proto) {
    return proto == 6 || proto == 17 || proto == 132 || proto == 136;
}

// What a rule would be for; peers aside.
struct Service {
    Direction direction = Direction::ingress;
    std::uint8_t proto = 0;
    std::uint16_t port = 0; // or ICMP type; 0 for protocols without, and only for these
    std::string unit;       // egress: by which a rule can name the process; "": by user
    std::optional<std::uint32_t> user{}; // egress, without unit; neither: the process is not known
    [[nodiscard]] bool has_owner() const { return !unit.empty() || user.has_value(); }
    auto operator<=>(const Service&) const = default;
};

struct Peer {
    Address remote;        // the source; for egress the destination
    Address to;            // forward: the destination; else zero
    std::string interface; // ingress and forward
    auto operator<=>(const Peer&) const = default;
};

struct Tally {
    std::uint64_t events = 0;    // of openings
    std::uint64_t running = 0;   // of what was open already, and answers
    bool is_asked_twice = false; // judged at connect or sendmsg, and again as a packet
    bool is_exfil = false;
    WallTime first{}, last{};
    std::string comm, cgroup; // of the first that told; any bytes
    std::optional<std::uint32_t> uid;
    [[nodiscard]] std::uint64_t openings() const {
        return is_asked_twice ? (events + 1) / 2 : events;
    }
};

// Of things that are not learned one by one.
struct Aside {
    std::uint64_t events = 0;
    WallTime first{}, last{};
    std::set<Address> sources; // the first few
    bool has_more = false;     // than these
};

using Port = std::pair<std::uint8_t, std::uint16_t>;              // protocol and port
using Portless = std::pair<Direction, std::uint8_t>;              // by protocol
using Refused = std::tuple<Direction, std::uint8_t, std::string>; // by reason and rule

} // namespace sallyport::learn

// SPDX-License-Identifier: Apache-2.0
#pragma once
// Who can reach what listens, and how bad that is. Pure: machine, policy and catalogue in,
// judgements out. docs/audit.md says what each state means.
#include "audit/catalogue.h"
#include "audit/machine.h"
#include "audit/reach.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::audit {

// Whether rules hold anybody off.
enum class Wall : std::uint8_t {
    none,      // no wall stands: everything passes
    observing, // it stands and drops nothing
    standing,
    assumed, // a file was given: judged as if it stood
};
[[nodiscard]] const char* to_string(Wall wall);
[[nodiscard]] bool holds(Wall wall, const Policy& policy); // do its rules decide?

enum class State : std::uint8_t {
    exposed,   // reachable, and no rule declares it
    open,      // reachable, by a rule or beside one
    essential, // served by [essentials] alone
    shut,      // on the network, and no rule lets anybody in
    raw,       // a raw socket: opens no port, gets copies
    loopback,
    isolated, // its namespace has no network
};
[[nodiscard]] const char* to_string(State state);

enum class Shield : std::uint8_t { rules, none };

// One way that packets come to it.
struct Way {
    std::string how; // "interface", "published", "routed"
    std::string interface;
    Shield shield = Shield::none;
    std::uint16_t port = 0; // that is asked for
    SourceNames sources;
};

struct Judged {
    Listener listener;
    std::optional<Service> service;
    State state = State::shut;
    Danger danger = Danger::none;
    std::vector<std::string> rules; // that declare it, in file order
    std::vector<Way> ways;
    std::vector<Publication> published; // of this one
    std::string advice;                 // "" when there is nothing to say
    [[nodiscard]] bool is_finding() const { return state == State::exposed; }
};

struct Report {
    Wall wall = Wall::none;
    std::vector<Judged> listeners; // findings first, the most dangerous of each state first
    [[nodiscard]] std::size_t findings() const;
};

// `reach` is of the policy; null: there is none, and nothing is declared.
[[nodiscard]] Report judge(const Machine& machine, Reach* reach, Wall wall,
                           const Catalogue& catalogue);

// One line for each transport: "tcp", "udp", "udplite", "sctp", "raw".
[[nodiscard]] std::string proto_name(std::uint8_t proto);
// "0.0.0.0:22", "[::]:22"; of a raw socket "0.0.0.0 protocol 1".
[[nodiscard]] std::string address_text(const Listener& listener);
[[nodiscard]] bool is_dual(const Listener& listener); // IPv6 that serves IPv4 too

} // namespace sallyport::audit

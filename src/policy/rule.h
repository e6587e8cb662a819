// SPDX-License-Identifier: Apache-2.0
#pragma once
// One rule: who, which services, whose sockets, and what then.
#include "base/duration.h"
#include "policy/peers.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sallyport {

enum class Direction : std::uint8_t { ingress = 0, egress = 1, forward = 2 };
[[nodiscard]] const char* to_string(Direction direction);

// TCP, UDP, SCTP and UDP-Lite have ports; ICMP and ICMPv6 have types, and use
// low and high for them; any other protocol is 0..65535. A range over all of
// 0..65535 also covers what has no port.
struct ServiceRange {
    std::uint8_t proto = 0;
    std::uint16_t low = 0;
    std::uint16_t high = 65535;
    bool operator==(const ServiceRange&) const = default;
};

struct Services {
    bool any_protocol = false; // every protocol, every port; ranges is empty then. Of ICMP an
                               // allow rule holds echo requests alone, a deny rule every type
    std::vector<ServiceRange> ranges;
    bool operator==(const Services&) const = default;
};

// Whose sockets an egress rule is for. At most one of unit and cgroup; user may
// be added to either, and then both must hold.
struct Identity {
    std::string unit;   // "rag.service": a name of the path below [host] cgroup, all of whose
                        // parents there end in ".slice"; empty: not asked
    std::string cgroup; // "/system.slice/rag.service": that cgroup or one below; empty: not asked
    std::optional<std::uint32_t> user; // uid in the initial user namespace
    [[nodiscard]] bool is_none() const { return unit.empty() && cgroup.empty() && !user; }
    bool operator==(const Identity&) const = default;
};

// How many connections a source may open under an ingress rule: GCRA, so a burst, then
// one each per / count; and how many it may have. Sources that share a prefix of these
// lengths are one.
struct Limit {
    Rate rate;               // of no count: any rate
    std::uint32_t burst = 1; // at least 1
    bool window = false;     // instead: never more than rate.count in any rate.per
    std::uint8_t prefix4 = 32;
    std::uint8_t prefix6 = 64;
    std::optional<Rate> total;     // of all sources together; its burst is its count
    bool cookies = true;           // of TCP: beyond what all share, XDP answers with SYN cookies
    std::uint32_t connections = 0; // of TCP: at once; 0: any number
    bool operator==(const Limit&) const = default;
};

struct Rule {
    std::string name;
    Direction direction = Direction::ingress;
    bool deny = false;
    PeerSet from; // ingress, forward
    PeerSet to;   // egress, forward
    Services services;
    std::vector<std::string> interfaces; // globs; empty: every interface
    Identity identity;                   // egress only
    bool log_new = false;
    std::optional<Limit> limit; // ingress allow only
    unsigned line = 0;          // in the policy file, for messages
};

} // namespace sallyport

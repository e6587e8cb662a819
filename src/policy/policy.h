// SPDX-License-Identifier: Apache-2.0
#pragma once
// What an operator wants, fully resolved: zones are inlined into the rules,
// names of ports, users and files are gone. A plain value: it can be copied,
// compared and printed, and knows neither a file format nor a kernel.
#include "base/ip.h"

#include <array>
#include <bitset>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sallyport {

enum class Direction : std::uint8_t { ingress = 0, egress = 1, forward = 2 };
[[nodiscard]] const char* to_string(Direction direction);

// Prefixes shared between the zones that name them; a list may hold a million.
using PrefixList = std::shared_ptr<const std::vector<Prefix>>;

// Part of a set of peers: inside `networks`, in none of `except`, and, when
// `interfaces` is not empty, only where one of its globs matches the interface.
struct PeerPart {
    PrefixList networks; // never null
    std::vector<PrefixList> except;
    std::vector<std::string> interfaces;
};

// The union of its parts. Empty: nobody. "any" is one part of 0.0.0.0/0 and ::/0.
// How specific a match is: the length, in its family, of the longest prefix of
// `networks` that covers the address, over the parts that match.
struct PeerSet {
    std::vector<PeerPart> parts;
};

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
    unsigned line = 0; // in the policy file, for messages
};

enum class Mode : std::uint8_t { enforce, observe };
enum class XdpMode : std::uint8_t { automatic, native, generic };
enum class PacketSockets : std::uint8_t { report, deny, allow };
[[nodiscard]] const char* to_string(PacketSockets packet_sockets);
enum class Sysctls : std::uint8_t { check, set };

struct Host {
    std::vector<std::string> interfaces; // globs
    Mode mode = Mode::enforce;
    XdpMode xdp = XdpMode::automatic;
    std::string cgroup = "/";
    PacketSockets packet_sockets = PacketSockets::report;
    std::vector<std::string> packet_socket_users;
    Sysctls sysctls = Sysctls::check;
};

// Between neighbours on a link, not IP: each passes only when it is named.
struct LinkProtocols {
    bool lldp = false;
    bool eapol = false;
    bool lacp = false;
    bool ptp = false;
    bool stp = false;
    bool operator==(const LinkProtocols&) const = default;
};

struct Essentials {
    bool arp = true;
    bool neighbour_discovery = true;
    bool dhcp_client = true;
    bool icmp_errors = true;
    PeerSet ping; // set by the parser: "any" by default
    bool judge_ip_options = false;
    bool redirects = false;
    LinkProtocols link_protocols{};
    bool track_fragments = false;
};

struct Flows {
    std::uint32_t max = 262144;
    std::chrono::seconds tcp_idle{7200};
    std::chrono::seconds udp_idle{60};
};

struct Events {
    std::uint32_t per_second = 1000;
    std::chrono::seconds repeat{10};
};

struct Policy {
    Host host;
    std::vector<Rule> rules; // in file order; allow and deny of all directions
    PeerSet exfil_inside;
    Essentials essentials;
    Flows flows;
    Events events;
};

// "any": one part with 0.0.0.0/0 and ::/0.
[[nodiscard]] PeerSet any_peer();
// Shell globs as fnmatch(3) has them, without special treatment of '/' or '.'.
[[nodiscard]] bool glob_matches(const std::string& glob, const std::string& name);

} // namespace sallyport

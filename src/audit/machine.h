// SPDX-License-Identifier: Apache-2.0
#pragma once
// What was read of a machine, as values: who listens where, in which network namespaces, and
// what its NAT publishes. No judgement yet.
#include "base/ip.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::audit {

inline constexpr std::uint8_t kTcp = 6, kUdp = 17, kSctp = 132, kUdpLite = 136, kRaw = 255;

struct Nic {
    std::string name;
    unsigned index = 0;
    unsigned master = 0;            // of a port: the bond's or bridge's index
    unsigned lower = 0;             // of a VLAN: what it lies on
    std::vector<Address> addresses; // the host's own on it
    bool operator==(const Nic&) const = default;
};

// A network namespace.
struct Place {
    std::uint64_t inode = 0;
    bool is_host = false;     // that which the audit runs in
    std::string container;    // "" when none is known
    std::uint32_t pid = 0;    // a process that was in it; 0 for the host's
    std::vector<Nic> nics;    // those that are up, but for loopback
    bool forwards_v4 = false; // of the host's: does it route?
    bool forwards_v6 = false;
};

struct Process {
    std::uint32_t pid = 0;
    std::string comm;
    std::string exe;
    std::vector<std::string> argv;
    std::uint32_t uid = 0;
    std::string user; // name of uid; "" when it has none
    std::string cgroup;
    std::string unit;
    std::string container;
    bool operator==(const Process&) const = default;
};

// A socket that waits to be asked, or several alike (SO_REUSEPORT).
struct Listener {
    std::uint64_t place = 0; // its namespace's inode
    std::uint8_t proto = kTcp;
    Address address;
    std::uint16_t port = 0; // of a raw socket: the protocol
    bool is_v6_only = false;
    std::string interface; // bound to that one; "": all
    unsigned sockets = 1;
    std::uint32_t uid = 0;             // of the socket
    std::optional<Process> process;    // none: the kernel's own, gone, or not to be seen
    std::vector<std::uint32_t> pids{}; // of all who hold it
    bool operator==(const Listener&) const = default;
};

// A port of the host's that somebody rewrites.
struct Publication {
    std::uint8_t proto = kTcp;
    std::optional<Address> at; // of the host; none: every address
    std::uint16_t low = 0, high = 0;
    std::string interface;     // only what comes in there; "": any
    std::optional<Address> to; // none: this host itself (redirect)
    std::uint16_t to_port = 0; // that of `low`; 0: the same
    std::string by;            // "nftables", "iptables", "docker-proxy"
    bool operator==(const Publication&) const = default;
};

enum class Known : std::uint8_t { no, partly, yes };

struct Nat {
    Known known = Known::no;
    std::vector<Publication> published;
    std::vector<std::string> notes; // what was not understood, or why nothing is known
};

struct Machine {
    std::vector<Place> places; // the host's first
    std::vector<Listener> listeners;
    Nat nat;
    std::vector<std::string> unseen; // what could not be read, as sentences
};

} // namespace sallyport::audit

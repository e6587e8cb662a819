// SPDX-License-Identifier: Apache-2.0
#pragma once
// What an operator wants, fully resolved: zones are inlined into the rules,
// names of ports, users and files are gone. A plain value: it can be copied,
// compared and printed, and knows neither a file format nor a kernel.
#include "policy/jails.h"
#include "policy/peers.h"
#include "policy/rule.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sallyport {

enum class Mode : std::uint8_t { enforce, observe };
enum class XdpMode : std::uint8_t { automatic, native, generic };
[[nodiscard]] const char* to_string(XdpMode xdp);
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
    PeerSet ping;    // set by the parser: "any" by default
    PeerSet routers; // the same
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
    bool command_lines = false;        // arguments may hold secrets
    std::uint32_t capture_bytes = 256; // of a packet that an event is about; 0: none
    bool names = true;                 // by DNS answers that were seen
};

// A zone whose file says whom to ban, as long as it does.
struct BanListZone {
    std::string zone;
    std::string file; // as resolved against the policy file's directory
    bool operator==(const BanListZone&) const = default;
};

// How an automatic ban grows with each one before it.
struct BanGrowth {
    bool increment = false;
    std::vector<std::uint32_t> multipliers{1, 2, 4, 8, 16, 32, 64}; // the last one stays
    std::chrono::seconds max_time = std::chrono::days(28);
    std::chrono::seconds remember = std::chrono::days(90); // since the last ban
    bool operator==(const BanGrowth&) const = default;
};

// So many within a span ban their source for a time.
struct BanAfter {
    std::uint32_t count = 0;
    std::chrono::seconds find{};
    std::chrono::seconds ban{};
    bool operator==(const BanAfter&) const = default;
};

struct BanRules {
    std::vector<Prefix> never;
    std::vector<BanListZone> lists;
    BanGrowth growth;
    std::optional<BanAfter> after_limits; // connections that a limit refuses
    std::optional<BanAfter> after_probes; // connections that no rule lets in
};

struct Policy {
    Host host;
    std::vector<Rule> rules; // in file order; allow and deny of all directions
    PeerSet exfil_inside;
    Essentials essentials;
    Flows flows;
    Events events;
    std::vector<JailRule> jails; // in file order
    Fail2banFiles fail2ban;
    BanRules bans;
    PeerSet admin; // the zone of that name, whom a panic lets in; nobody when there is none
};

// Shell globs as fnmatch(3) has them, without special treatment of '/' or '.'.
[[nodiscard]] bool glob_matches(const std::string& glob, const std::string& name);

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
#pragma once
// What happened, as a plain value: the kernel's record (abi/event.h) with names
// instead of numbers where they are known. Numbers the kernel sent are kept, so
// that a record of a newer program is shown rather than refused.
#include "base/ip.h"
#include "event/kinds.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sallyport {

using WallTime = std::chrono::sys_time<std::chrono::microseconds>;

// Which of the kernel's records it was: no two of one CPU have the same time.
struct Stamp {
    std::uint64_t at_ns = 0; // CLOCK_MONOTONIC; 0: none of the kernel's
    std::uint16_t cpu = 0;
    bool operator==(const Stamp&) const = default;
};

// Absent facts are empty: nullopt, "" or, where said, 0.
struct Event {
    std::uint64_t seq = 0; // given when it is published; 0: not yet
    WallTime at{};
    std::string host;
    EventKind kind = EventKind::drop;
    std::optional<std::uint8_t> direction; // enum sp_direction
    std::uint8_t reason = 0;               // enum sp_reason; 0: none
    std::string rule;                      // its name
    bool exfil = false;

    std::optional<std::uint8_t> proto; // IP protocol
    std::optional<Address> src;
    std::optional<Address> dst;
    // By which this host looked them up, as far as its answers were seen: "" or letters, digits,
    // '-', '_' and dots, if it is the daemon that says so.
    std::string src_name;
    std::string dst_name;
    std::optional<std::uint16_t> src_port; // host byte order
    std::optional<std::uint16_t> dst_port;
    std::optional<std::uint8_t> icmp_type;
    std::optional<std::uint8_t> icmp_code;
    std::optional<std::uint8_t> tcp_flags; // as on the wire
    std::uint16_t ethertype = 0;           // host byte order; 0: not known
    std::uint32_t len = 0;                 // bytes; 0: not known
    std::string iface;
    std::optional<std::uint8_t> hook; // enum sp_hook

    std::uint16_t socket_family = 0; // AF_PACKET, AF_XDP: of a socket held or refused; 0: none
    bool qdisc_bypass = false;       // it sends past the NIC's hook

    std::optional<std::uint32_t> pid;
    std::string comm; // any bytes but zero: a process chooses them
    std::string exe;
    std::string cmdline; // its arguments, quoted as for a shell; only where they are asked for
    std::optional<std::uint32_t> ppid;
    std::string parent; // its comm
    std::optional<std::uint32_t> uid;
    std::string user;
    std::string cgroup; // path below the hierarchy's root
    std::string unit;
    std::string slice;
    std::string container; // full id, hex
    std::string container_name;
    std::string slurm_job;
    std::string slurm_step;
    std::vector<std::string> gpus; // that it holds open: paths below /dev

    std::uint64_t repeats = 1;    // how many this line stands for; never 0
    std::uint32_t generation = 0; // 0: none

    std::optional<LostBy> lost_by;   // kind lost
    std::uint64_t count = 0;         // kinds lost and limit
    std::optional<EventState> state; // kinds policy, hook, socket and limit
    std::optional<Prefix> network;   // kinds ban and unban; none: those of a list, `count`; limit
    std::string origin;              // kind ban and unban: "hand", "jail:NAME", "list:ZONE"
    std::optional<std::uint64_t> seconds; // kind ban: for how long; none: until it is lifted
    std::string file;                     // kind policy: the policy file
    std::string sha256;                   // kind policy
    std::string detail;                   // kinds policy, hook, limit: a sentence for people

    // Numbers still to be named; not part of what is printed.
    std::uint32_t ifindex = 0;     // 0: none
    std::uint32_t rule_number = 0; // rule + 1 of `generation`; 0: none
    std::uint64_t cgroup_id = 0;   // 0: not known
    Stamp stamp{};

    bool operator==(const Event&) const = default;
};

// The end that is not this host's: the destination for egress, else the source.
[[nodiscard]] const std::optional<Address>& remote_of(const Event& event);
// Is it about a packet (drop, would-drop, new, or a kind of the kernel's that is not known here)?
[[nodiscard]] bool is_about_packet(const Event& event);

// Without its command line: what whoever may read events may read.
[[nodiscard]] Event for_everybody(Event event);

} // namespace sallyport

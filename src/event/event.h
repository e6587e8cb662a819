// SPDX-License-Identifier: Apache-2.0
#pragma once
// What happened, as a plain value: the kernel's record (abi/event.h) with names
// instead of numbers where they are known. Numbers the kernel sent are kept, so
// that a record of a newer program is shown rather than refused.
#include "base/ip.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace sallyport {

// The kernel's kinds have its numbers (enum sp_event_kind); those that user
// space makes begin above what the record can hold.
enum class EventKind : std::uint16_t {
    drop = 1,
    would_drop = 2,
    opened = 3,   // "new": an admitted connection of a rule with log = "new"
    lost = 256,   // `count` events that no reader of this stream will see; `lost_by` says where
    policy = 257, // a switch of the policy, or one refused; see `state`
    hook = 258,   // a hook attached, lost, restored; see `state`
    ban = 260,    // somebody is banned, by `origin`
    unban = 261,  // no more; `detail` says why
    limit = 262,  // a source begins or ceases to be limited; see `state`
    socket = 259, // a process holds a socket that the packet hooks may not see; see `state`
};

enum class LostBy : std::uint8_t {
    ring_full,   // the kernel's ring had no room
    over_rate,   // over [events] per-second
    slow_reader, // the reader of this stream was too slow and is cut off
    log_file,    // the log file could not be written
    journal,     // systemd's journal did not take it
};

enum class EventState : std::uint8_t {
    attached,
    lost,
    restored,
    applied,
    refused,
    found,
    trial,
    confirmed,
    rolled_back,
    panic,
    begins,
    ends
};

using WallTime = std::chrono::sys_time<std::chrono::microseconds>;

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
    std::optional<std::uint32_t> uid;
    std::string cgroup; // path below the hierarchy's root
    std::string unit;
    std::string container; // full id, hex

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

    bool operator==(const Event&) const = default;
};

// The end that is not this host's: the destination for egress, else the source.
[[nodiscard]] const std::optional<Address>& remote_of(const Event& event);
// Is it about a packet (drop, would-drop, new, or a kind of the kernel's that is not known here)?
[[nodiscard]] bool is_about_packet(const Event& event);

} // namespace sallyport

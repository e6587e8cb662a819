// SPDX-License-Identifier: Apache-2.0
#pragma once
// What `status` shows, as a plain value, and its JSON form: every key always there.
#include "base/result.h"

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace sallyport {

struct HookStatus {
    std::string hook;  // "xdp", "connect", "sendmsg", "cgroup", "tc"
    std::string iface; // "": the hook has none
    std::string mode;  // "native", "generic", "tcx", "clsact"; "": there is only one
    bool attached = false;
    std::uint64_t admitted = 0;
    std::uint64_t dropped = 0;
    std::uint64_t admitted_bytes = 0; // of interfaces; 0 at the other hooks
    std::uint64_t dropped_bytes = 0;
    bool operator==(const HookStatus&) const = default;
};

struct RuleStatus {
    std::string name;
    std::string direction;
    std::uint64_t admitted = 0;
    std::uint64_t limited = 0;
    std::uint64_t bytes = 0;
    std::uint64_t denied = 0;
    bool operator==(const RuleStatus&) const = default;
};

// A jail of the policy.
struct JailStatus {
    std::string name;
    std::uint64_t lines = 0;
    std::uint64_t matched = 0;
    std::uint64_t bans = 0; // asked for
    std::vector<std::string> files;
    std::string why; // it does not work, or not wholly; "" when it does
    bool operator==(const JailStatus&) const = default;
};

// A process that holds a socket of AF_PACKET or AF_XDP.
struct PacketSocketStatus {
    std::uint32_t pid = 0;
    std::string comm;
    std::string exe;
    std::uint32_t uid = 0;
    std::string cgroup;
    std::string unit;
    std::string family;        // "packet", "xdp"
    std::string ethertype;     // "0x0003": what it hears; "": it only sends
    std::string iface;         // "": bound to none, or in another namespace
    std::string netns;         // "host", "other"
    bool qdisc_bypass = false; // it sends past the NIC's hook
    bool operator==(const PacketSocketStatus&) const = default;
};

struct StatusView {
    std::string state = "not-protected"; // "protected", "observing", "not-protected"
    std::string why;                     // "": null in JSON
    std::string mode;                    // "enforce", "observe"; "": null
    std::uint32_t generation = 0;
    nlohmann::json trial = nullptr; // the policy on trial, null when there is none
    std::string policy_file;        // "": null, as the next three
    std::string policy_sha256;
    std::string policy_applied; // RFC 3339
    std::string policy_by;
    std::vector<HookStatus> hooks;
    std::map<std::string, std::uint64_t> reasons; // by slug, those that are not zero
    std::vector<RuleStatus> rules;
    std::uint64_t flow_entries = 0;
    std::uint64_t flow_max = 0;
    std::uint64_t flow_refused = 0;
    std::uint64_t cookies_sent = 0;  // SYNs that XDP answered
    std::uint64_t cookies_taken = 0; // connections that followed
    std::uint64_t challenged = 0;    // refused SYNs whose source was asked to prove itself
    std::uint64_t proofs_lost = 0;   // for want of room
    std::uint64_t answers = 0;       // DNS answers that were copied for their names
    std::uint64_t answers_lost = 0;  // over what a second may have, or for want of room
    std::uint64_t bans_active = 0;
    std::vector<JailStatus> jails;
    std::uint64_t events_sent = 0;
    std::uint64_t events_folded = 0;
    std::uint64_t events_lost = 0;
    // By LostBy. `events_lost` is what the kernel lost; a daemon adds what its readers and its
    // log file did since it began.
    std::map<std::string, std::uint64_t> events_lost_by;
    std::uint64_t captures_lost = 0;  // packets of events, for want of room
    std::string version;              // of the daemon that says so; "": null, no daemon does
    std::vector<std::string> waiting; // names and globs of [host] interfaces that match no NIC yet
    std::vector<std::string> blind; // what this kernel cannot see: "af-xdp", "packet-sockets", ...
    // As of a few seconds ago; nothing when nobody looks: no daemon, or packet-sockets = "allow".
    std::optional<std::vector<PacketSocketStatus>> packet_sockets;
    bool operator==(const StatusView&) const = default;
};

[[nodiscard]] nlohmann::ordered_json to_json(const StatusView& status);
// A missing key leaves its default; a key of the wrong type is an error.
[[nodiscard]] Result<StatusView> status_from_json(const nlohmann::json& json);

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is enforced, as a file beside the pins: the kernel knows rules and
// interfaces by number, this names them for the daemon that comes next.
#include "base/result.h"
#include "policy/policy.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sallyport {

struct EnforcedRule {
    std::string name;
    Direction direction = Direction::ingress;
    bool operator==(const EnforcedRule&) const = default;
};

struct Enforced {
    std::uint32_t generation = 0;
    bool panic = false; // by `panic`, until that ends: as a policy on trial
    // When its policy came into force: compiled anew for other interfaces, it gets a higher
    // generation and stays the same policy. 0: a record of an earlier version.
    std::uint32_t first_generation = 0;
    std::uint32_t last_generation = 0; // the highest ever in force; none comes twice
    std::string file;                  // the policy's, absolute
    std::string sha256;                // of its bytes
    std::string contents;              // contents_hash(); "" in records of earlier versions
    std::string applied;               // RFC 3339, UTC
    std::string by;                    // who started or asked
    bool observe = false;
    std::string cgroup = "/";
    std::string packet_sockets = "report"; // as the policy has it
    std::vector<std::string> packet_socket_users;
    std::vector<std::string> interfaces; // globs
    // While it is on trial: those of the policy that it may fall back to, guarded as well.
    std::vector<std::string> fallback_interfaces;
    XdpMode xdp = XdpMode::automatic;
    std::uint32_t flow_max = 0;
    std::uint32_t repeat_s = 10;
    bool names = true;                                 // whether events tell them
    bool command_lines = false;                        // the same of these
    std::vector<EnforcedRule> rules;                   // by number
    std::map<std::string, std::uint32_t> counters;     // of rules' names, those of old rules too
    std::map<std::string, std::uint32_t> nic_counters; // of interfaces' names
    // The interfaces that its tables were made for; empty in records of earlier versions.
    std::vector<std::string> compiled_for;
    bool operator==(const Enforced&) const = default;
    [[nodiscard]] std::uint32_t began() const {
        return first_generation != 0 ? first_generation : generation;
    }
    // Is it that policy? By the file's hash alone where the record says no more.
    [[nodiscard]] bool is_of(const std::string& file_hash, const std::string& all_contents) const {
        return !sha256.empty() &&
               (contents.empty() ? sha256 == file_hash : contents == all_contents);
    }
    // Globs of the NICs to guard.
    [[nodiscard]] std::vector<std::string> guards() const;
};

// What is known of the policy that `tried` falls back to where its own record is lost: the
// NICs that it guards, its generation, and whether it observes. Whose rules it has is not.
[[nodiscard]] Enforced without_record(const Enforced& tried, std::uint32_t generation,
                                      bool observe);

[[nodiscard]] std::string to_json_text(const Enforced& enforced);
[[nodiscard]] Result<Enforced> enforced_from_json(const std::string& text);

// Written beside the record in force before the switch, renamed over it after: a full
// disk leaves the old one, a crash both.
[[nodiscard]] Status stage_enforced(const std::string& state_dir, const Enforced& enforced);
[[nodiscard]] Status settle_enforced(const std::string& state_dir);
// What was staged is not to come: a later policy of that generation is another one.
void unstage_enforced(const std::string& state_dir);
// Both are of a wall that is gone, and the next one counts its generations from 1 as well.
void forget_enforced(const std::string& state_dir);
// The record of a policy on trial stays staged, so that the settled one is what it falls
// back to. nullopt when there is none.
[[nodiscard]] Result<std::optional<Enforced>> load_settled(const std::string& state_dir);
// nullopt when none is.
[[nodiscard]] Result<std::optional<Enforced>> load_staged(const std::string& state_dir);
// Of the two the one of that generation, also the staged one of the same policy compiled anew:
// who was killed before the switch to it has left that alone. Else the settled one; nullopt when
// there is none.
[[nodiscard]] Result<std::optional<Enforced>> load_enforced(const std::string& state_dir,
                                                            std::uint32_t generation);

} // namespace sallyport

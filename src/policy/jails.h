// SPDX-License-Identifier: Apache-2.0
#pragma once
// Bans from what services log: [[jail]] and [fail2ban], as the policy file has them.
// Expressions are text here; nothing is compiled, no file of fail2ban's is read.
#include "policy/peers.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sallyport {

struct JailRule {
    std::string name;
    std::vector<std::string> logs;         // absolute paths, with globs
    std::vector<std::string> journals;     // units
    std::vector<std::string> match;        // expressions that accuse
    std::vector<std::string> ignore;       // expressions that acquit
    std::vector<std::string> date_pattern; // empty: the common ones
    std::string filter;                    // a filter of fail2ban's instead of `match`
    std::uint32_t max_retry = 5;
    std::chrono::seconds find_time{600};
    std::optional<std::chrono::seconds> ban_time = std::chrono::seconds(600); // none: no end
    bool growing = false; // each ban of the same source lasts twice as long as the last
    std::optional<std::chrono::seconds> ban_time_max;
    PeerSet except;                 // never banned by this jail
    std::uint32_t ipv6_prefix = 64; // how much of an IPv6 source is one source
    unsigned line = 0;
};

// Files of fail2ban's that define jails, and which part of a source is one there.
struct Fail2banFiles {
    std::vector<std::string> jails;
    std::uint32_t ipv6_prefix = 64;
};

} // namespace sallyport

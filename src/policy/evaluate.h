// SPDX-License-Identifier: Apache-2.0
#pragma once
// The oracle: what a policy says of one opening, in obvious code. It shares
// the Policy type with the compiler and nothing else, so that the two can be
// held against each other. Slow by intent.
#include "policy/policy.h"

#include <cstdint>
#include <string>

namespace sallyport {

// The opening of a flow, as the one who asks sees it.
struct Opening {
    Direction direction = Direction::ingress;
    std::string interface; // that it comes in by (goes out by, for egress); empty: unknown
    Address source;        // ingress, forward
    Address destination;   // egress, forward
    std::uint8_t proto = 0;
    std::uint16_t port = 0; // destination port, or ICMP type; 0 for protocols without
    std::string cgroup;     // "/system.slice/rag.service"; empty: unknown
    std::optional<std::uint32_t> user;
};

enum class Answer : std::uint8_t { no_rule, denied, allowed };

struct Verdict {
    Answer answer = Answer::no_rule;
    std::optional<std::size_t> rule; // index in Policy::rules; set unless no_rule
    bool operator==(const Verdict&) const = default;
};

// Deny rules first: the first in specificity among them names the verdict; then
// the allow rules. Ties by INTERFACE.md: most specific prefix, named protocol
// before any, narrowest port range, identity before none, file order. For
// forward the prefix lengths of both ends count, the source's first.
[[nodiscard]] Verdict evaluate(const Policy& policy, const Opening& opening);

// Is the address within `peers` on that interface?
[[nodiscard]] bool matches(const PeerSet& peers, const Address& address,
                           const std::string& interface);

} // namespace sallyport

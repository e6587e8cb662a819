// SPDX-License-Identifier: Apache-2.0
#pragma once
// What must become of a frame on a host that knows no flow, has no socket and routes nothing:
// docs/policy.md and the order of docs/architecture.md in plain C++, the rules
// by policy/evaluate, headers by reference_packet.h.
#include "policy/policy.h"
#include "sallyport/abi/event.h"
#include "support/reference_packet.h"

#include <array>
#include <cstdint>
#include <set>
#include <span>
#include <string>

namespace sallyport::test {

struct ReferenceHost {
    std::array<std::uint8_t, 6> mac{};
    std::set<Address> own;
};

// Where the frame is seen. What leaves is the kernel's, or another cgroup's: no process stands
// for it.
struct Place {
    sp_hook hook = SP_HOOK_XDP; // XDP, CGROUP or TC
    std::string interface;
    Carrier carrier = Carrier::ethernet;
};

struct ReferenceVerdict {
    bool passes = false;
    Objections reasons; // any of these may be named; empty when it passes
};

// `frame` is what the hook is shown: for CGROUP it begins with the IP header.
[[nodiscard]] ReferenceVerdict judge_frame(const Policy& policy, const ReferenceHost& host,
                                           const Place& place, std::span<const std::uint8_t> frame);

} // namespace sallyport::test

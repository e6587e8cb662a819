// SPDX-License-Identifier: Apache-2.0
#pragma once
// Holds what a packet left behind against itself: action, reason counter, hook
// counter, NIC counter, rule counter and event must all say the same.
#include "compile/map_image.h"
#include "support/counters.h"
#include "support/host_parser.h"
#include "support/packet.h"
#include "support/seen.h"

namespace sallyport::test {

struct Story {
    Counts counts{};
    sp_nic_count nic{};
    std::vector<sp_rule_count> rules; // by the order of the image's
};

[[nodiscard]] Story read_story(const Maps& maps, const MapImage& image, std::uint32_t nic_counter);
[[nodiscard]] Story rise(const Story& before, const Story& after);
[[nodiscard]] bool is_still(const Story& rose); // nothing rose

// What the packet was.
struct Telling {
    sp_hook hook = SP_HOOK_XDP;
    const Bytes& frame;
    LinkType link = LinkType::ethernet;
    std::uint32_t ifindex = 0;
    const MapImage& image;
    std::uint32_t generation = 0; // of the slot in force; 0: none
    bool from_ip_header = false;  // beside cgroup programs, which always see it so
};

// Fills in reason, would_drop and rule, and every disagreement. `seen` has the action and the
// events.
void tell(Seen& seen, const Telling& telling, const Story& rose);

} // namespace sallyport::test

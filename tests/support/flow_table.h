// SPDX-License-Identifier: Apache-2.0
#pragma once
// The flow table as it lies in the kernel, for tests that look into it, make
// time pass in it, or fill it.
#include "support/instance.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace sallyport::test {

// Value of sp_flows (bpf/lib/maps.h).
struct FlowSet {
    std::uint32_t lock = 0;
    std::uint32_t spare = 0;
    std::uint64_t tags = 0;
    sp_flow flows[SP_FLOW_WAYS]{};
};
static_assert(sizeof(FlowSet) == 16 + SP_FLOW_WAYS * sizeof(sp_flow));

[[nodiscard]] std::vector<FlowSet> read_flow_sets(const Instance& instance);
// Every entry in use, the expired ones too.
[[nodiscard]] std::vector<sp_flow> read_flows(const Instance& instance);
void edit_flows(const Instance& instance, const std::function<void(sp_flow&)>& edit);
// As if so many seconds had passed since each flow's last packet.
void age_flows(const Instance& instance, std::uint32_t seconds);

// A confirmed flow of the default policy's making; each number has a tuple of its own.
[[nodiscard]] sp_flow numbered_flow(std::uint32_t number);
// Enters it as the loader does. False when there is no room.
[[nodiscard]] bool seed_flow(const Instance& instance, const sp_flow& flow);

} // namespace sallyport::test

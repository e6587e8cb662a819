// SPDX-License-Identifier: Apache-2.0
#include "kernel/flows.h"

#include "kernel/map.h"
#include "kernel/table_call.h"

namespace sallyport {
std::uint32_t flow_sets_for(std::uint32_t max) {
    const std::uint64_t entries = (std::uint64_t{max} * 4 + 2) / 3;
    return static_cast<std::uint32_t>((entries + SP_FLOW_WAYS - 1) / SP_FLOW_WAYS);
}

Result<bool> seed_flow(const Programs& programs, const sp_flow& flow) {
    return SP_TRY(call_table(programs.fd(Program::seed), &flow, sizeof(flow))) != 0;
}

Status sweep_flows(const Programs& programs, std::uint32_t first) {
    static_cast<void>(SP_TRY(call_table(programs.fd(Program::sweep), &first, sizeof(first))));
    return {};
}

Result<std::uint64_t> flow_count(const Maps& maps) {
    const std::uint32_t zero = 0;
    return SP_TRY(map_lookup<std::uint64_t>(maps.flow_count, zero)).value_or(0);
}

} // namespace sallyport

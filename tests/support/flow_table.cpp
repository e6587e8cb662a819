// SPDX-License-Identifier: Apache-2.0
#include "support/flow_table.h"

#include "base/result.h"
#include "support/prog_run.h"

#include <bpf/bpf.h>
#include <cstring>

namespace sallyport::test {

std::vector<FlowSet> read_flow_sets(const Instance& instance) {
    std::vector<FlowSet> sets(instance.settings().flow_sets);
    for (std::uint32_t i = 0; i < sets.size(); ++i) {
        SP_CHECK(bpf_map_lookup_elem(instance.maps().flows, &i, &sets[i]) == 0);
    }
    return sets;
}

std::vector<sp_flow> read_flows(const Instance& instance) {
    std::vector<sp_flow> flows;
    for (const FlowSet& set : read_flow_sets(instance)) {
        for (const sp_flow& flow : set.flows) {
            if (flow.idle_s != 0) flows.push_back(flow);
        }
    }
    return flows;
}

void edit_flows(const Instance& instance, const std::function<void(sp_flow&)>& edit) {
    std::vector<FlowSet> sets = read_flow_sets(instance);
    for (std::uint32_t i = 0; i < sets.size(); ++i) {
        for (sp_flow& flow : sets[i].flows) {
            if (flow.idle_s != 0) edit(flow);
        }
        SP_CHECK(bpf_map_update_elem(instance.maps().flows, &i, &sets[i], BPF_ANY) == 0);
    }
}

void age_flows(const Instance& instance, std::uint32_t seconds) {
    edit_flows(instance, [&](sp_flow& flow) { flow.seen_s -= seconds; });
}

sp_flow numbered_flow(std::uint32_t number) {
    sp_flow flow{};
    flow.key.remote.bytes[10] = flow.key.remote.bytes[11] = 0xff;
    flow.key.local.bytes[10] = flow.key.local.bytes[11] = 0xff;
    const std::uint8_t remote[4]{10, static_cast<std::uint8_t>(number >> 16),
                                 static_cast<std::uint8_t>(number >> 8),
                                 static_cast<std::uint8_t>(number)};
    const std::uint8_t local[4]{192, 0, 2, 1};
    std::memcpy(flow.key.remote.bytes + 12, remote, 4);
    std::memcpy(flow.key.local.bytes + 12, local, 4);
    flow.key.remote_port = 443;
    flow.key.local_port = static_cast<std::uint16_t>(20000 + number % 30000);
    flow.key.proto = 6;
    flow.idle_s = 7200;
    flow.generation = SP_GENERATION_KEPT;
    flow.direction = SP_EGRESS;
    flow.state = SP_FLOW_CONFIRMED;
    return flow;
}

bool seed_flow(const Instance& instance, const sp_flow& flow) {
    Bytes bytes(sizeof(flow));
    std::memcpy(bytes.data(), &flow, sizeof(flow));
    Result<RunResult> result = run_bytes(instance.programs().fd(Program::seed), bytes);
    SP_CHECK(result.has_value());
    return result->action == 1;
}

} // namespace sallyport::test

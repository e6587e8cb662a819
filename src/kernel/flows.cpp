// SPDX-License-Identifier: Apache-2.0
#include "kernel/flows.h"

#include "kernel/map.h"
#include "kernel/options.h"

#include <algorithm>
#include <array>
#include <bpf/bpf.h>
#include <cstring>

namespace sallyport {
namespace {

// XDP programs that are never attached serve as functions: they share the hash
// and the lock with those that are. Returns what the program returned.
Result<std::uint32_t> call(int program, const void* data, std::uint32_t size) {
    std::array<std::uint8_t, 256> packet{};
    SP_CHECK(size <= packet.size());
    std::memcpy(packet.data(), data, size);
    bpf_test_run_opts options = sized<bpf_test_run_opts>();
    options.data_in = packet.data();
    options.data_size_in = std::max<std::uint32_t>(size, 64);
    options.repeat = 1;
    const int error = bpf_prog_test_run_opts(program, &options);
    if (error < 0) return fail_errno(-error, "running a table function");
    return options.retval;
}

} // namespace

std::uint32_t flow_sets_for(std::uint32_t max) {
    const std::uint64_t entries = (std::uint64_t{max} * 4 + 2) / 3;
    return static_cast<std::uint32_t>((entries + SP_FLOW_WAYS - 1) / SP_FLOW_WAYS);
}

Result<bool> seed_flow(const Programs& programs, const sp_flow& flow) {
    return SP_TRY(call(programs.fd(Program::seed), &flow, sizeof(flow))) != 0;
}

Status sweep_flows(const Programs& programs, std::uint32_t first) {
    static_cast<void>(SP_TRY(call(programs.fd(Program::sweep), &first, sizeof(first))));
    return {};
}

Result<std::uint64_t> flow_count(const Maps& maps) {
    const std::uint32_t zero = 0;
    return SP_TRY(map_lookup<std::uint64_t>(maps.flow_count, zero)).value_or(0);
}

} // namespace sallyport

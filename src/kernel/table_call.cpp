// SPDX-License-Identifier: Apache-2.0
#include "kernel/table_call.h"

#include "kernel/options.h"

#include <algorithm>
#include <array>
#include <bpf/bpf.h>
#include <cerrno>
#include <cstring>

namespace sallyport {

Result<std::uint32_t> call_table(int program, const void* data, std::uint32_t size) {
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

} // namespace sallyport

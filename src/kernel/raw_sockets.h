// SPDX-License-Identifier: Apache-2.0
#pragma once
// Raw sockets by /proc/net, for kernels without raw_diag.
#include "kernel/sockets.h"

#include <string_view>
#include <vector>

namespace sallyport {

// What raw or raw6 says, those that are not connected; lines of another shape are left out.
[[nodiscard]] std::vector<SocketInfo> parse_raw_table(std::string_view text);
// Of the calling thread's network namespace, both families.
[[nodiscard]] Result<std::vector<SocketInfo>> list_raw_by_proc();

} // namespace sallyport

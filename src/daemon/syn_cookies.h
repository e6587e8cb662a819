// SPDX-License-Identifier: Apache-2.0
#pragma once
// Whether the kernel would give XDP the SYN cookies that a policy's limits ask for.
#include "daemon/advice.h"

#include <string>
#include <vector>

namespace sallyport {

// A warning that names each rule whose limit may answer by cookies, when
// net.ipv4.tcp_syncookies is not 2 or cannot be read, and the policy does not set it. At 1 the
// kernel gives one only while a listener's own queue is full, at 0 none (bpf_tcp_gen_syncookie).
// And one, at the first of them, when net.ipv4.tcp_timestamps is not 2: at 1 each peer has an
// offset that XDP cannot know, so its answers offer an MSS alone.
[[nodiscard]] std::vector<Diagnostic>
advise_syn_cookies(const Policy& policy, const std::string& policy_file, const AdviceWorld& world);

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
#pragma once
// A network namespace of the test process's own, with devices that packets can
// be said to come in by and go out by: eth0, eth1 and en00 (guarded), wg0
// (guarded, said to have no Ethernet) and eth2 (not guarded). They are veth
// pairs that carry no traffic.
#include <cstdint>
#include <string>

namespace sallyport::test {

// Makes the namespace on the first call; aborts when it cannot. Threads started
// before stay outside.
void enter_machine();
[[nodiscard]] std::uint32_t ifindex_of(const std::string& interface); // 0: there is none
// Runs a command line of iproute2 in the namespace; aborts when it fails.
void configure(const std::string& command);
// Does this kernel take netfilter programs (6.4)?
[[nodiscard]] bool has_netfilter_programs();

} // namespace sallyport::test

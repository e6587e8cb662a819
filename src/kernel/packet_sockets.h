// SPDX-License-Identifier: Apache-2.0
#pragma once
// Sockets of AF_PACKET and AF_XDP: who holds one, and whether this kernel lets
// their making be refused.
#include "base/result.h"
#include "kernel/programs.h"
#include "sallyport/abi/packet_socket.h"

#include <string>
#include <vector>

namespace sallyport {

// Why a BPF LSM program would judge nothing on this machine, as a sentence; "" when
// nothing speaks against it. Asks the kernel once a process.
[[nodiscard]] const std::string& lsm_obstacle();
// What an operator does about it.
[[nodiscard]] const char* lsm_advice();

// True when the attached programs are asked: a kernel whose lsm= leaves out "bpf" attaches
// them without a word and never calls them. Makes a packet socket to see.
[[nodiscard]] bool packet_sockets_are_judged(const Programs& programs);

// Every process of this pid namespace that holds one, in every network namespace. One
// entry for each socket and process.
[[nodiscard]] Result<std::vector<sp_found_socket>> find_packet_sockets(const Programs& programs);

} // namespace sallyport

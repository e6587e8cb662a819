// SPDX-License-Identifier: Apache-2.0
#pragma once
// One packet through one program by BPF_PROG_TEST_RUN, as often as asked: once.
//
// What to know of the kernel's side (net/bpf/test_run.c):
// - Frames are given with their Ethernet header, at least 14 bytes; a
//   cgroup_skb program sees them from the IP header on.
// - An interface that is not loopback must exist in the caller's namespace.
// - An skb comes with a socket: the caller's cgroup, and the family that the
//   Ethernet type names (none for what is not IP).
#include "base/result.h"
#include "support/packet.h"

#include <array>
#include <cstdint>

namespace sallyport::test {

struct RunResult {
    std::uint32_t action = 0; // what the program returned
    Bytes output;             // the packet as it left it
};

struct SkbContext {
    std::uint32_t ifindex = 0;         // 0: loopback
    std::uint32_t ingress_ifindex = 0; // not 0: forwarded
    std::uint32_t mark = 0;
    std::array<std::uint32_t, 5> cb{};
};

[[nodiscard]] Result<RunResult> run_xdp(int program, const Bytes& frame, std::uint32_t ifindex);
[[nodiscard]] Result<RunResult> run_skb(int program, const Bytes& frame, const SkbContext& context);
// An IP frame at NF_INET_FORWARD of its family; the program sees it from the IP header on.
[[nodiscard]] Result<RunResult> run_netfilter(int program, const Bytes& frame);
// Bytes without any context, as the programs that are never attached take them.
[[nodiscard]] Result<RunResult> run_bytes(int program, const Bytes& bytes);

} // namespace sallyport::test

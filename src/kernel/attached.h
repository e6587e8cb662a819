// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which programs stand at a hook, whoever attached them, in the order in which they run.
#include "base/result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sallyport {

struct AttachedProgram {
    std::uint32_t id = 0; // 0: no BPF program
    std::string name;     // "?" when it may not be read
    std::string where;    // "native XDP", "TCX egress", "clsact ingress", "connect4", ...
    bool operator==(const AttachedProgram&) const = default;
};

// XDP, TCX and filters of clsact of one device of this network namespace, both ways.
[[nodiscard]] std::vector<AttachedProgram> attached_to_nic(unsigned ifindex);
// Of the kinds that the wall attaches too. `effective`: with those of the cgroups above it.
enum class CgroupView : std::uint8_t { own, effective };
[[nodiscard]] std::vector<AttachedProgram> attached_to_cgroup(int cgroup, CgroupView view);

// A netfilter link of any network namespace: the kernel does not say of which.
struct NetfilterProgram {
    AttachedProgram program;
    std::uint32_t family = 0;
    std::uint32_t hook = 0;
    std::int32_t priority = 0;
};
[[nodiscard]] std::vector<NetfilterProgram> netfilter_programs();

// Does the program use one of these maps (by id)?
[[nodiscard]] bool uses_map_of(std::uint32_t program, const std::vector<std::uint32_t>& maps);

} // namespace sallyport

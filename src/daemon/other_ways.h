// SPDX-License-Identifier: Apache-2.0
#pragma once
// Ways off this machine that are no network to the kernel's packet hooks, as far
// as devices tell of them, and ways past some of these hooks. Part of what `status`
// calls blind.
#include "kernel/flowtables.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sallyport {

struct OtherWaysWorld {
    std::string root; // before "/sys" and "/dev"
    // The context id that AF_VSOCK has here; nullopt: it has none.
    std::function<std::optional<std::uint32_t>()> vsock_id;
};
[[nodiscard]] OtherWaysWorld system_other_ways();

// "bluetooth": a controller; "vfio", "uio": a device in the hands of user space, as
// DPDK takes NICs; "vsock": this machine and its host, or its guests, can talk.
[[nodiscard]] std::vector<std::string> other_ways(const OtherWaysWorld& world);

// "ipvlan", "macvlan": devices of other namespaces may share a guarded NIC. Blind only
// where the kernel does not tell in whose namespace a packet was routed (before 6.4).
[[nodiscard]] std::vector<std::string> nic_sharers(const std::string& root);

// "flowtable:NAME": what is routed by its entries goes past netfilter's hooks.
// "flowtables": there are more than are listed, or they cannot be listed.
[[nodiscard]] std::vector<std::string> fast_paths(const Result<Flowtables>& found);

} // namespace sallyport

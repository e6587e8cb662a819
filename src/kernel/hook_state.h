// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where programs are, as links, pins and filters tell it; beside `Hooks`, which puts them there.
#include "base/result.h"
#include "kernel/pins.h"

#include <optional>
#include <string>
#include <vector>

namespace sallyport {

// One line of `status`: where a program is, or why it is not.
struct HookState {
    std::string hook;  // "xdp", "connect4", ...
    std::string iface; // "" for cgroup hooks
    std::string mode;  // XDP: "native", "generic"; TC: "tcx", "clsact"; else ""
    bool attached = false;
    std::string why; // when not attached, or not as asked for
};

struct GuardedNic {
    std::string name;
    unsigned index = 0;
    bool bare_ip = false; // no Ethernet header: generic XDP only
};

// The NICs that have pins, under the names they had when these were made: those whose
// device is in this network namespace. Pins of other devices are removed.
[[nodiscard]] std::vector<GuardedNic> pinned_nics(const Pins& pins);
// What a pin of that name and path holds; nothing when it is no netfilter hook's.
[[nodiscard]] std::optional<HookState> netfilter_state(const std::string& pin,
                                                       const std::string& path);

// Is it one of those that refuse packet sockets? Without them the wall stands.
[[nodiscard]] bool is_socket_hook(const std::string& hook);

// The clsact filter of an interface, which has no pin to tell of it; nothing when
// no interface of this network namespace has the name.
[[nodiscard]] std::optional<HookState> clsact_state(const std::string& interface);

// The filters of every interface that judge what it hands over to be routed.
[[nodiscard]] std::vector<HookState> forward_filters();

// Detaches the clsact filters of every interface (kernels before 6.6 have no TC
// link). Part of taking everything down; nothing to do is no error.
void remove_clsact_filters();

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
// packet-sockets = "deny": the hooks that refuse them, or a loud word that there are none.
#include "daemon/wall.h"
#include "kernel/packet_sockets.h"

#include <algorithm>
#include <fmt/format.h>

namespace sallyport {

void Wall::deny_packet_sockets(WallNews& news) {
    const std::vector<HookState> states = hooks_.states();
    if (std::ranges::any_of(states, [](const HookState& state) {
            return is_socket_hook(state.hook) && state.attached;
        }))
        return; // once attached they stay: a fallback policy may need them
    std::string why = lsm_obstacle();
    if (why.empty()) {
        const Status installed = hooks_.install_sockets(programs_, pins_);
        if (!packet_sockets_are_judged(programs_)) {
            why = "the kernel never asks the BPF LSM programs: \"bpf\" is not in lsm=";
            hooks_.remove_sockets(pins_); // they would be a lie
        }
        if (!installed) why = installed.error().text();
        if (!programs_.lsm_refusal().empty()) why += ": " + programs_.lsm_refusal();
    }
    if (why.empty()) return;
    news.warnings.push_back(fmt::format(
        "packet-sockets = \"deny\" is NOT enforced: {}. Such sockets are only reported", why));
    news.warnings.push_back(fmt::format("next: {}", lsm_advice()));
}

} // namespace sallyport

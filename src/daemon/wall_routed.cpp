// SPDX-License-Identifier: Apache-2.0
// What is routed, on kernels without netfilter links: the filters on unguarded interfaces.
#include "daemon/wall.h"
#include "kernel/map.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace sallyport {

bool Wall::routes_at_tc() const {
    return programs_.forward_hook() == SP_FORWARD_TC_INGRESS;
}

// Netfilter sees what a bridge's port hands over as the bridge's. A filter at TC stands at
// the port too, where a rule that names the bridge must hold.
const Interface& Wall::routes_as(const Interface& interface) const {
    const auto master = std::ranges::find(interfaces_, interface.master, &Interface::index);
    const bool has_own_hooks = matches(interface) && !master_that_covers(interface);
    if (!routes_at_tc() || interface.master == 0 || has_own_hooks || master == interfaces_.end())
        return interface;
    return routes_as(*master);
}

// Where the kernel has no netfilter links: what interfaces without guard hand over to be
// routed is judged as it arrives there. What comes over one that refuses the filter, TC
// judges where it leaves a guarded NIC.
void Wall::judge_routed(WallNews& news) {
    if (!routes_at_tc()) return;
    forget_routed();
    const std::vector<HookState> standing = hooks_.states();
    for (const Interface& interface : interfaces_) {
        if (interface.is_loopback || interface.link == SP_LINK_NONE ||
            interface.index >= SP_IFINDEX_MAX || is_guarded(interface.name))
            continue;
        const bool stands = std::any_of(standing.begin(), standing.end(), [&](const auto& hook) {
            return hook.hook == "forward" && hook.iface == interface.name && hook.attached;
        });
        Status judged;
        if (!stands) judged = hooks_.install_forward_on(programs_, interface.name, interface.index);
        const int map = programs_.maps().ifaces;
        const Result<std::optional<sp_iface>> known = map_lookup<sp_iface>(map, interface.index);
        sp_iface entry = known && *known ? **known : sp_iface{};
        entry.marks &= ~SP_IFACE_JUDGES_ROUTED;
        if (judged) entry.marks |= SP_IFACE_JUDGES_ROUTED;
        const Status marked = map_update(map, interface.index, entry);
        std::string why;
        if (!judged || !marked) why = (judged ? marked : judged).error().text();
        if (std::exchange(told_["routed " + interface.name], why) != why && !why.empty())
            news.notes.push_back(why);
    }
}

// The filters of interfaces that are gone went with them; that is no loss of a hook.
void Wall::forget_routed() {
    std::vector<unsigned> there;
    for (const Interface& interface : interfaces_) there.push_back(interface.index);
    hooks_.forget_forward_but(there);
    std::erase_if(told_, [this](const auto& told) {
        return told.first.starts_with("routed ") &&
               std::ranges::find(interfaces_, told.first.substr(7), &Interface::name) ==
                   interfaces_.end();
    });
}

} // namespace sallyport

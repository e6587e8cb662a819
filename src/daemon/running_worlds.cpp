// SPDX-License-Identifier: Apache-2.0
#include "daemon/running_worlds.h"

#include "daemon/wall.h"
#include "kernel/namespaces.h"
#include "kernel/sockets.h"

#include <algorithm>

namespace sallyport {

void for_each_world(RunningWorld world, const std::function<void(const RunningWorld&)>& act) {
    act(world);
    const Result<std::vector<NetNamespace>> others = other_namespaces();
    if (!others) return;
    world.is_guarded = [](const Interface&) { return false; };
    for (const NetNamespace& ns : *others) {
        const Status went = call_inside(ns, [&] {
            Result<std::vector<Interface>> interfaces = list_interfaces();
            if (!interfaces) return;
            world.interfaces = *std::move(interfaces);
            act(world);
        });
        static_cast<void>(went); // ended meanwhile
    }
}

std::vector<std::string> would_cut(const Wall& wall, const Policy& policy) {
    std::vector<std::string> lines;
    if (policy.host.mode == Mode::observe) return lines;
    OwnerNames owners(system_owner_sources(policy.host.cgroup));
    const auto is_guarded = [&](const Interface& interface) {
        return !interface.is_loopback &&
               std::ranges::any_of(policy.host.interfaces, [&](const std::string& glob) {
                   return glob_matches(glob, interface.name);
               });
    };
    for_each_world({.interfaces = wall.interfaces(),
                    .is_guarded = is_guarded,
                    .cgroup_path = [&](std::uint64_t id) { return owners.cgroup_path(id); }},
                   [&](const RunningWorld& world) {
                       const Result<std::vector<SocketInfo>> sockets = list_tcp();
                       if (!sockets) return;
                       for (const RunningConnection& one : judge_running(policy, *sockets, world))
                           lines.push_back(to_string(one, policy));
                   });
    return lines;
}

} // namespace sallyport

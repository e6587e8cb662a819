// SPDX-License-Identifier: Apache-2.0
#include "daemon/packet_patrol.h"

#include "daemon/publisher.h"
#include "daemon/status_build.h"
#include "daemon/wall.h"
#include "kernel/packet_sockets.h"

namespace sallyport {
namespace {

bool is(const Wall& wall, PacketSockets mode) {
    return wall.enforced().packet_sockets == to_string(mode);
}

} // namespace

Status PacketPatrol::look(const Wall& wall, Publisher& publisher) {
    if (is(wall, PacketSockets::allow)) {
        watch_ = PacketSocketWatch{};
        return {};
    }
    const std::vector<sp_found_socket> found = SP_TRY(find_packet_sockets(wall.programs()));
    for (const sp_found_socket& socket : watch_.take(found)) {
        const Event event = publisher.socket_event(socket);
        // Whom the policy names is no news; status lists him all the same.
        if (is(wall, PacketSockets::deny) &&
            is_in_cgroups(event.cgroup, wall.enforced().packet_socket_users))
            continue;
        publisher.say_socket(event);
    }
    return {};
}

std::optional<std::vector<PacketSocketStatus>> PacketPatrol::held(const Wall& wall,
                                                                  Publisher& publisher) const {
    if (is(wall, PacketSockets::allow)) return std::nullopt;
    std::vector<PacketSocketStatus> held;
    for (const sp_found_socket& socket : watch_.held())
        held.push_back(packet_socket_status(publisher.socket_event(socket)));
    return held;
}

} // namespace sallyport

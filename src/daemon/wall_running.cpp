// SPDX-License-Identifier: Apache-2.0
// Connections that are older than the policy: cut, or spared.
#include "daemon/running.h"
#include "daemon/running_worlds.h"
#include "daemon/wall.h"
#include "kernel/flows.h"
#include "kernel/sockets.h"

#include <algorithm>
#include <fmt/format.h>

namespace sallyport {
namespace {

// RSTs must reach the peer: a cut is made while its packets may still leave, or
// by a bare RST, which the programs always let out.
void cut_in_namespace(const Policy& policy, const RunningWorld& world, WallNews& news) {
    const Result<std::vector<SocketInfo>> sockets = list_tcp();
    if (!sockets) {
        news.notes.push_back(sockets.error().text());
        return;
    }
    for (const RunningConnection& connection : judge_running(policy, *sockets, world)) {
        std::string line = to_string(connection, policy);
        if (policy.host.mode == Mode::observe) {
            news.cut.push_back("would be cut: " + line);
            continue;
        }
        const Status destroyed = destroy(connection.socket);
        if (!destroyed && destroyed.error().kind == ErrorKind::not_found) continue;
        if (!destroyed) line += fmt::format(" (not ended at once: {})", destroyed.error().text());
        news.cut.push_back(std::move(line));
    }
}

} // namespace

void Wall::cut_running(const Policy& policy, WallNews& news) {
    const std::vector<GuardedNic> nics = wanted_nics();
    const auto is_guarded = [&](const Interface& interface) {
        return std::ranges::find(nics, interface.name, &GuardedNic::name) != nics.end();
    };
    if (!owners_) owners_ = std::make_shared<OwnerNames>(system_owner_sources(policy.host.cgroup));
    for_each_world({.interfaces = interfaces_,
                    .is_guarded = is_guarded,
                    .cgroup_path = [this](std::uint64_t id) { return owners_->cgroup_path(id); }},
                   [&](const RunningWorld& world) { cut_in_namespace(policy, world, news); });
}

// --keep-connections: every TCP connection of this namespace enters the table as
// spared. Their sockets are marked by the owners iterator.
void Wall::keep_running_flows() {
    const Result<std::vector<SocketInfo>> sockets = list_tcp();
    if (!sockets) return;
    for (const SocketInfo& socket : *sockets) {
        if (socket.state == TcpState::listen || socket.remote_port == 0) continue;
        sp_flow flow{};
        std::copy(socket.remote.bytes.begin(), socket.remote.bytes.end(), flow.key.remote.bytes);
        std::copy(socket.local.bytes.begin(), socket.local.bytes.end(), flow.key.local.bytes);
        flow.key.remote_port = socket.remote_port;
        flow.key.local_port = socket.local_port;
        flow.key.proto = socket.proto;
        flow.idle_s = 7200;
        flow.generation = SP_GENERATION_KEPT;
        flow.direction = SP_INGRESS;
        flow.state = SP_FLOW_CONFIRMED;
        static_cast<void>(seed_flow(programs_, flow)); // no room: judged as any other
    }
}

} // namespace sallyport

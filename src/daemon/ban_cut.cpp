// SPDX-License-Identifier: Apache-2.0
#include "daemon/ban_cut.h"

#include "daemon/running.h"
#include "kernel/namespaces.h"
#include "kernel/sockets.h"

namespace sallyport {
namespace {

bool may_talk(const SocketInfo& socket) {
    return socket.remote_port != 0 && socket.state != TcpState::listen &&
           socket.state != TcpState::close && socket.state != TcpState::time_wait;
}

void cut_here(const std::function<bool(const SocketInfo&)>& is_to_end, BansCut& cut) {
    const Result<std::vector<SocketInfo>> sockets = list_tcp();
    if (!sockets) {
        if (cut.failure.empty()) cut.failure = sockets.error().text();
        return;
    }
    for (const SocketInfo& socket : *sockets) {
        if (!may_talk(socket) || !is_to_end(socket)) continue;
        const Status destroyed = destroy(socket);
        if (destroyed)
            ++cut.ended;
        else if (destroyed.error().kind != ErrorKind::not_found && cut.failure.empty())
            cut.failure = destroyed.error().text();
    }
}

} // namespace

BansCut cut_banned(const std::function<bool(const Address&)>& is_banned, OwnerNames& owners,
                   const std::string& cgroup) {
    BansCut cut;
    cut_here([&](const SocketInfo& socket) { return is_banned(socket.remote); }, cut);
    const auto is_bound = [&](const SocketInfo& socket) {
        if (!is_banned(socket.remote)) return false;
        std::optional<std::string> path;
        if (socket.cgroup != 0) path = owners.cgroup_path(socket.cgroup);
        return is_under(path.value_or("/"), cgroup); // an unknown one may be anywhere
    };
    const Result<std::vector<NetNamespace>> others = other_namespaces();
    if (!others) return cut;
    for (const NetNamespace& ns : *others)
        // One that has ended meanwhile has no sockets.
        static_cast<void>(call_inside(ns, [&] { cut_here(is_bound, cut); }));
    return cut;
}

} // namespace sallyport

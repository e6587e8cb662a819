// SPDX-License-Identifier: Apache-2.0
#include "daemon/lockout.h"

#include "base/text.h"
#include "daemon/lockout_ways.h"
#include "daemon/session.h"
#include "daemon/wall.h"
#include "event/names.h"
#include "kernel/ask.h"
#include "kernel/route_to.h"
#include "kernel/socket_holders.h"
#include "policy/evaluate.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <functional>
#include <netinet/in.h>
#include <set>
#include <spdlog/spdlog.h>

namespace sallyport {
namespace {

namespace fs = std::filesystem;

constexpr std::uint16_t kNewSessionPort = 65535; // of the peer; no rule asks for it

std::uint16_t checksum(std::span<const std::uint8_t> bytes) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i + 1 < bytes.size(); i += 2)
        sum += static_cast<std::uint32_t>(bytes[i]) << 8 | bytes[i + 1];
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

// The first packet of a new session; the programs do not look at TCP's checksum.
std::vector<std::uint8_t> syn_of(const Door& door) {
    const bool is_v4 = door.peer.is_v4();
    std::vector<std::uint8_t> packet(is_v4 ? 40 : 60);
    const auto put = [&](std::size_t at, const Address& address) {
        if (is_v4)
            std::copy(address.bytes.begin() + 12, address.bytes.end(),
                      packet.begin() + static_cast<std::ptrdiff_t>(at));
        else
            std::ranges::copy(address.bytes, packet.begin() + static_cast<std::ptrdiff_t>(at));
    };
    if (is_v4) {
        packet[0] = 0x45;
        packet[3] = 40;
        packet[8] = 64;
        packet[9] = IPPROTO_TCP;
        put(12, door.peer);
        put(16, door.local);
        const std::uint16_t sum = checksum(std::span(packet).first(20));
        packet[10] = static_cast<std::uint8_t>(sum >> 8);
        packet[11] = static_cast<std::uint8_t>(sum);
    } else {
        packet[0] = 0x60;
        packet[5] = 20;
        packet[6] = IPPROTO_TCP;
        packet[7] = 64;
        put(8, door.peer);
        put(24, door.local);
    }
    const std::size_t tcp = packet.size() - 20;
    packet[tcp] = static_cast<std::uint8_t>(kNewSessionPort >> 8);
    packet[tcp + 1] = static_cast<std::uint8_t>(kNewSessionPort & 0xff);
    packet[tcp + 2] = static_cast<std::uint8_t>(door.port >> 8);
    packet[tcp + 3] = static_cast<std::uint8_t>(door.port);
    packet[tcp + 12] = 0x50;
    packet[tcp + 13] = 0x02;
    packet[tcp + 14] = 0xff;
    return packet;
}

std::string to_text(const Door& door, const std::string& interface, const std::string& why) {
    const bool is_v4 = door.local.is_v4();
    return fmt::format("in tcp {} > {}{}{}:{} on {} ({})", to_string(door.peer), is_v4 ? "" : "[",
                       to_string(door.local), is_v4 ? "" : "]", door.port, escaped(interface), why);
}

std::optional<std::string> refused_by(const Policy& policy, const Door& door,
                                      const Interface& interface) {
    const auto verdict = evaluate(policy, {.direction = Direction::ingress,
                                           .interface = interface.name,
                                           .source = door.peer,
                                           .destination = door.local,
                                           .proto = IPPROTO_TCP,
                                           .port = door.port,
                                           .cgroup = "",
                                           .user = std::nullopt});
    if (verdict.answer == Answer::allowed) return std::nullopt;
    return verdict.answer == Answer::denied ? "denied" : "no-rule";
}

} // namespace

std::set<std::uint16_t> login_ports(std::span<const SocketInfo> sockets,
                                    const std::string& proc_root) {
    std::set<std::uint16_t> listened;
    for (const SocketInfo& socket : sockets)
        if (socket.state == TcpState::listen) listened.insert(socket.local_port);
    std::set<std::uint16_t> ports;
    std::error_code error;
    for (fs::directory_iterator at(proc_root, error), end; !error && at != end;
         at.increment(error)) {
        if (at->path().filename().string().find_first_not_of("0123456789") != std::string::npos ||
            !is_login_server(at->path().string()))
            continue;
        const std::set<std::uint64_t> inodes = socket_inodes(at->path().string());
        // What it forwards has a port of its own, at which nobody listens.
        for (const SocketInfo& socket : sockets)
            if (inodes.contains(socket.inode) &&
                (socket.state == TcpState::listen ||
                 (socket.state == TcpState::established && listened.contains(socket.local_port))))
                ports.insert(socket.local_port);
    }
    return ports;
}

namespace {

// Connections to these ports; of these peers, when there are any named.
std::vector<Door> doors_at(const std::set<std::uint16_t>& ports, const std::vector<Address>& peers,
                           std::span<const SocketInfo> sockets) {
    std::set<Door> doors;
    for (const SocketInfo& socket : sockets) {
        if (socket.state != TcpState::established || !ports.contains(socket.local_port)) continue;
        if (socket.remote == socket.local) continue;
        if (!peers.empty() && std::ranges::find(peers, socket.remote) == peers.end()) continue;
        doors.insert({.peer = socket.remote, .local = socket.local, .port = socket.local_port});
    }
    return {doors.begin(), doors.end()};
}

} // namespace

std::vector<Door> doors_of_session(pid_t asker, std::span<const SocketInfo> sockets,
                                   const std::string& proc_root) {
    const std::vector<Address> peers = session_peers(asker, sockets, proc_root);
    if (peers.empty()) return {};
    std::set<std::uint16_t> ports = login_ports(sockets, proc_root);
    // A login server out of our reach, in a container say: any inbound connection of his.
    if (ports.empty())
        for (const SocketInfo& socket : sockets)
            if (socket.state == TcpState::listen) ports.insert(socket.local_port);
    return doors_at(ports, peers, sockets);
}

std::vector<Door> doors_of(pid_t asker, std::span<const SocketInfo> sockets,
                           const std::string& proc_root) {
    std::vector<Door> doors = doors_of_session(asker, sockets, proc_root);
    if (!doors.empty()) return doors;
    return doors_at(login_ports(sockets, proc_root), {}, sockets);
}

bool comes_by_session(pid_t asker) {
    const Result<std::vector<SocketInfo>> sockets = list_tcp();
    return sockets && session_stands(asker, *sockets);
}

bool somebody_is_logged_in() {
    const Result<std::vector<SocketInfo>> sockets = list_tcp();
    return !sockets || !doors_of(0, *sockets).empty();
}

namespace {

// By the rules, and by the programs where the NIC has them. What comes by a VLAN is asked of its
// NIC without the tag: the programs step over tags, and no rule tells them apart.
Result<std::optional<std::string>> why_refused(const Wall& wall, const Policy& policy,
                                               std::uint32_t slot, const Door& door,
                                               const Interface& nic, std::optional<Asker>& asking) {
    const auto line = [&](const std::string& why) {
        return std::optional<std::string>(to_text(door, nic.name, why));
    };
    if (const std::optional<std::string> why = refused_by(policy, door, nic)) return line(*why);
    if (!wall.guards(nic.name)) return std::optional<std::string>{};
    if (!asking)
        asking = SP_TRY(Asker::over(
            wall.programs(), {.slot = slot, .flows = AskFlows::none, .at = {AskAt::arriving}}));
    const std::vector<std::uint8_t> packet =
        SP_TRY(asking->framed(AskAt::arriving, nic.index, syn_of(door)));
    const auto asked =
        SP_TRY(asking->ask({.at = AskAt::arriving, .packet = packet, .ifindex = nic.index}));
    if (!asked.settled || asked.reason == 0) return std::optional<std::string>{};
    return line(reason_name(static_cast<std::uint8_t>(asked.reason)));
}

using Refuses =
    std::function<Result<std::optional<std::string>>(const Door& door, const Interface& nic)>;

Result<std::vector<std::string>> find_shut_doors(const Policy& policy, pid_t asker,
                                                 std::span<const Interface> interfaces,
                                                 const Refuses& refuses) {
    std::vector<std::string> found;
    if (policy.host.mode == Mode::observe) return found;
    const std::vector<SocketInfo> sockets = SP_TRY(list_tcp());
    for (const Door& door : doors_of(asker, sockets)) {
        const std::vector<WaysIn> ways = ways_in(policy, door.local, interfaces, [&door] {
            return route_to(door.peer).value_or(std::nullopt);
        });
        const Shut shut =
            SP_TRY(find_shut(ways, [&](const Interface& nic) { return refuses(door, nic); }));
        found.insert(found.end(), shut.every.begin(), shut.every.end());
        for (const std::string& line : shut.some)
            spdlog::warn("the policy would shut one of the ways of a session, and leaves it "
                         "another: {}",
                         line);
    }
    return found;
}

} // namespace

Result<std::vector<std::string>> find_lockouts(const Wall& wall, const Policy& policy,
                                               std::uint32_t slot, pid_t asker) {
    std::optional<Asker> asking;
    return find_shut_doors(policy, asker, wall.interfaces(),
                           [&](const Door& door, const Interface& nic) {
                               return why_refused(wall, policy, slot, door, nic, asking);
                           });
}

Result<std::vector<std::string>> find_lockouts(const Policy& policy, pid_t asker) {
    const std::vector<Interface> interfaces = SP_TRY(list_interfaces());
    return find_shut_doors(policy, asker, interfaces, [&](const Door& door, const Interface& nic) {
        std::optional<std::string> why = refused_by(policy, door, nic);
        if (why) why = to_text(door, nic.name, *why);
        return Result<std::optional<std::string>>(std::move(why));
    });
}

} // namespace sallyport

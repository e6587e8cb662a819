// SPDX-License-Identifier: Apache-2.0
#include "daemon/running.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <netinet/in.h>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

namespace sallyport {
namespace {

const Address kAllOfV4 = Address::v4(0);
const Address kAllOfV6{};

const Prefix kLoopbackV4 = prefix_of(Address::v4(0x7f000000), 104);
const Address kLoopbackV6{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
const Prefix kLinkLocal = prefix_of(Address{{0xfe, 0x80}}, 10);

bool is_loopback(const Address& address) {
    return kLoopbackV4.covers(address) || address == kLoopbackV6;
}

bool holds(const Interface& interface, const Address& address) {
    return std::ranges::find(interface.addresses, InterfaceAddress{address, SP_LOCAL_HOST}) !=
           interface.addresses.end();
}

bool may_still_talk(const SocketInfo& socket) {
    switch (socket.state) {
    case TcpState::established:
    case TcpState::syn_sent:
    case TcpState::syn_recv:
    case TcpState::new_syn_recv:
    case TcpState::fin_wait1:
    case TcpState::close_wait:
    case TcpState::last_ack:
    case TcpState::closing:
        return true;
    // What waits for the peer's FIN with no socket behind it is a time-wait entry too.
    case TcpState::fin_wait2:
        return socket.inode != 0 || socket.cgroup != 0;
    case TcpState::time_wait:
    case TcpState::close:
    case TcpState::listen:
        return false;
    }
    return false;
}

// Those that accept connections to their port, by port.
class Listeners {
  public:
    explicit Listeners(std::span<const SocketInfo> sockets) {
        for (const SocketInfo& socket : sockets)
            if (socket.proto == IPPROTO_TCP && socket.state == TcpState::listen)
                by_port_.emplace(socket.local_port, &socket);
    }
    [[nodiscard]] bool hold(const SocketInfo& connection) const {
        const auto [first, last] = by_port_.equal_range(connection.local_port);
        return std::any_of(first, last,
                           [&](const auto& entry) { return serves(*entry.second, connection); });
    }

  private:
    [[nodiscard]] static bool serves(const SocketInfo& listener, const SocketInfo& connection) {
        if (listener.ifindex != 0 && connection.ifindex != 0 &&
            listener.ifindex != connection.ifindex)
            return false;
        const bool is_v4 = connection.local.is_v4();
        if (listener.local == kAllOfV4) return is_v4;
        if (listener.local == kAllOfV6) return !is_v4 || !listener.is_ipv6_only;
        return listener.local == connection.local;
    }
    std::multimap<std::uint16_t, const SocketInfo*> by_port_;
};

// Which interfaces a connection may run over, as far as its addresses tell.
class Places {
  public:
    explicit Places(const std::vector<Interface>& interfaces) : interfaces_(interfaces) {
        for (const Interface& interface : interfaces)
            for (const auto& [address, kind] : interface.addresses)
                if (kind == SP_LOCAL_HOST) holders_.emplace(address, &interface);
    }

    [[nodiscard]] bool is_loopback_only(const SocketInfo& socket) const {
        const Interface* bound = by_index(socket.ifindex);
        if (bound != nullptr && bound->is_loopback) return true;
        if (is_loopback(socket.local) || is_loopback(socket.remote) ||
            socket.local == socket.remote)
            return true;
        // Another machine may have a link-local address of ours on another link.
        if (kLinkLocal.covers(socket.remote) && bound != nullptr)
            return holds(*bound, socket.remote);
        return holders_.contains(socket.remote);
    }

    // Those that hold the local address, or the one it is bound to. None holds an
    // address of the loopback device, or one that was taken away: it may be any.
    [[nodiscard]] std::vector<const Interface*> of(const SocketInfo& socket) const {
        std::vector<const Interface*> found;
        const auto [first, last] = holders_.equal_range(socket.local);
        for (auto entry = first; entry != last; ++entry)
            if (!entry->second->is_loopback) found.push_back(entry->second);
        if (const Interface* bound = by_index(socket.ifindex)) {
            if (kLinkLocal.covers(socket.local) || std::ranges::find(found, bound) != found.end())
                return {bound};
            found.push_back(bound); // a VRF: its members hold the address
        }
        if (found.empty())
            for (const Interface& interface : interfaces_)
                if (!interface.is_loopback) found.push_back(&interface);
        return found;
    }

  private:
    [[nodiscard]] const Interface* by_index(std::uint32_t index) const {
        const auto found = std::ranges::find(interfaces_, index, &Interface::index);
        return index != 0 && found != interfaces_.end() ? &*found : nullptr;
    }
    const std::vector<Interface>& interfaces_;
    std::multimap<Address, const Interface*> holders_;
};

class Judge {
  public:
    Judge(const Policy& policy, std::span<const SocketInfo> sockets, const RunningWorld& world)
        : policy_(policy), world_(world), listeners_(sockets), places_(world.interfaces) {
        for (const Rule& rule : policy.rules) {
            asks_cgroup_ =
                asks_cgroup_ || !rule.identity.unit.empty() || !rule.identity.cgroup.empty();
            asks_user_ = asks_user_ || rule.identity.user;
        }
    }

    [[nodiscard]] std::optional<RunningConnection> judge(const SocketInfo& socket) {
        if (socket.proto != IPPROTO_TCP || !may_still_talk(socket) ||
            places_.is_loopback_only(socket))
            return std::nullopt;
        return direction_of(socket) == Direction::ingress ? judge_inbound(socket)
                                                          : judge_outbound(socket);
    }

  private:
    [[nodiscard]] Direction direction_of(const SocketInfo& socket) const {
        if (socket.state == TcpState::syn_sent) return Direction::egress;
        if (socket.state == TcpState::syn_recv || socket.state == TcpState::new_syn_recv)
            return Direction::ingress;
        return listeners_.hold(socket) ? Direction::ingress : Direction::egress;
    }

    [[nodiscard]] std::optional<RunningConnection> judge_inbound(const SocketInfo& socket) {
        const std::vector<const Interface*> places = places_.of(socket);
        if (!std::ranges::all_of(places,
                                 [&](const Interface* place) { return world_.is_guarded(*place); }))
            return std::nullopt;
        Opening opening;
        opening.direction = Direction::ingress;
        opening.source = socket.remote;
        opening.proto = IPPROTO_TCP;
        opening.port = socket.local_port;
        return refused_everywhere(socket, std::move(opening), places, "");
    }

    [[nodiscard]] std::optional<RunningConnection> judge_outbound(const SocketInfo& socket) {
        std::optional<std::string> path;
        if (socket.cgroup != 0) path = world_.cgroup_path(socket.cgroup);
        // Nobody holds a closed socket, and the kernel may have forgotten whose it was.
        const bool knows_user = socket.inode != 0 || socket.uid != 0;
        // An unknown path may be anywhere; the root is above it in any case.
        if (!is_under(path.value_or("/"), policy_.host.cgroup)) return std::nullopt;
        if ((!path && asks_cgroup_) || (!knows_user && asks_user_)) return std::nullopt;
        Opening opening;
        opening.direction = Direction::egress;
        opening.destination = socket.remote;
        opening.proto = IPPROTO_TCP;
        opening.port = socket.remote_port;
        opening.cgroup = path.value_or("");
        if (knows_user) opening.user = socket.uid;
        std::string who = knows_user ? fmt::format("uid {}", socket.uid) : "";
        if (path) who += (who.empty() ? "" : ", ") + *path;
        return refused_everywhere(socket, std::move(opening), places_.of(socket), std::move(who));
    }

    // Refused by whichever interface it may run over; the first gives the verdict.
    [[nodiscard]] std::optional<RunningConnection>
    refused_everywhere(const SocketInfo& socket, Opening opening,
                       const std::vector<const Interface*>& places, std::string who) {
        std::vector<std::string> names;
        for (const Interface* place : places) names.push_back(place->name);
        if (names.empty()) names.emplace_back();
        std::optional<Verdict> verdict;
        for (const std::string& name : names) {
            opening.interface = name;
            const Verdict its = verdict_on(opening);
            if (its.answer == Answer::allowed) return std::nullopt;
            if (!verdict) verdict = its;
        }
        return RunningConnection{.socket = socket,
                                 .direction = opening.direction,
                                 .verdict = *verdict,
                                 .interface = names.size() == 1 ? names[0] : "",
                                 .who = std::move(who)};
    }

    // A server's many connections from one proxy are one question.
    [[nodiscard]] Verdict verdict_on(const Opening& opening) {
        const Question question{opening.direction,   opening.interface, opening.source,
                                opening.destination, opening.port,      opening.cgroup,
                                opening.user};
        const auto known = answers_.find(question);
        if (known != answers_.end()) return known->second;
        return answers_.emplace(question, evaluate(policy_, opening)).first->second;
    }

    using Question = std::tuple<Direction, std::string, Address, Address, std::uint16_t,
                                std::string, std::optional<std::uint32_t>>;
    const Policy& policy_;
    const RunningWorld& world_;
    Listeners listeners_;
    Places places_;
    std::map<Question, Verdict> answers_;
    bool asks_cgroup_ = false;
    bool asks_user_ = false;
};

} // namespace

bool is_under(const std::string& path, std::string_view ancestor) {
    while (ancestor.ends_with('/')) ancestor.remove_suffix(1);
    return path.starts_with(ancestor) &&
           (path.size() == ancestor.size() || path[ancestor.size()] == '/');
}

std::vector<RunningConnection> judge_running(const Policy& policy,
                                             std::span<const SocketInfo> sockets,
                                             const RunningWorld& world) {
    Judge judge(policy, sockets, world);
    std::vector<RunningConnection> refused;
    for (const SocketInfo& socket : sockets)
        if (std::optional<RunningConnection> connection = judge.judge(socket))
            refused.push_back(*std::move(connection));
    return refused;
}

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_world.h"

#include "audit/nat.h"
#include "base/fd.h"
#include "daemon/owner.h"
#include "kernel/interfaces.h"
#include "kernel/namespaces.h"
#include "kernel/socket_holders.h"
#include "kernel/sockets.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <map>
#include <net/if.h>
#include <pwd.h>
#include <set>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <tuple>
#include <unistd.h>

namespace sallyport {
namespace {

using namespace audit;

constexpr std::array kProtocols{kTcp, kUdp, kSctp, kUdpLite, kRaw};

// One network namespace, as a thread in it sees it.
struct Look {
    std::vector<SocketInfo> sockets;
    std::vector<Interface> interfaces;
    std::set<std::string> up;
};

std::set<std::string> those_up(const std::vector<Interface>& interfaces) {
    std::set<std::string> up;
    const Fd any(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    for (const Interface& interface : interfaces) {
        ifreq request{};
        interface.name.copy(request.ifr_name, IFNAMSIZ - 1);
        // One that cannot be asked counts as up: better told than left out.
        if (!any || ioctl(any.get(), SIOCGIFFLAGS, &request) != 0 ||
            (request.ifr_flags & IFF_UP) != 0)
            up.insert(interface.name);
    }
    return up;
}

Result<Look> look_here() {
    Look look;
    for (const std::uint8_t proto : kProtocols) {
        Result<std::vector<SocketInfo>> its = list_bound(proto);
        if (!its && its.error().kind == ErrorKind::not_found) continue; // no such transport here
        if (!its) return std::unexpected<Error>(std::move(its).error());
        look.sockets.insert(look.sockets.end(), its->begin(), its->end());
    }
    look.interfaces = SP_TRY(list_interfaces());
    look.up = those_up(look.interfaces);
    return look;
}

bool is_on(const std::string& setting) {
    const Fd file(open(setting.c_str(), O_RDONLY | O_CLOEXEC));
    char value = '0';
    return file && read(file.get(), &value, 1) == 1 && value != '0';
}

Place place_of(const Look& look, std::uint64_t inode) {
    Place place{.inode = inode, .container = {}, .nics = {}};
    for (const Interface& interface : look.interfaces) {
        if (interface.is_loopback || !look.up.contains(interface.name)) continue;
        Nic nic{.name = interface.name,
                .index = interface.index,
                .master = interface.master,
                .lower = interface.lower,
                .addresses = {}};
        for (const InterfaceAddress& address : interface.addresses)
            if (address.kind == SP_LOCAL_HOST) nic.addresses.push_back(address.address);
        place.nics.push_back(std::move(nic));
    }
    // An address of the host's may lie on loopback: it belongs to no NIC, and is reached by all.
    return place;
}

std::string user_name(std::uint32_t uid) {
    std::array<char, 4096> space;
    passwd entry{};
    passwd* found = nullptr;
    if (getpwuid_r(uid, &entry, space.data(), space.size(), &found) != 0 || found == nullptr)
        return {};
    return found->pw_name;
}

// As a rule's `unit` sees it; of what lies elsewhere, as systemd does.
std::string unit_of(const std::string& path, const std::string& cgroup) {
    std::string unit = unit_of_cgroup(path, cgroup);
    return unit.empty() ? unit_of_cgroup(path) : unit;
}

Process process_of(const ProcessFacts& facts, const std::string& cgroup) {
    return {.pid = facts.pid,
            .comm = facts.comm,
            .exe = facts.exe,
            .argv = facts.argv,
            .uid = facts.uid,
            .user = user_name(facts.uid),
            .cgroup = facts.cgroup,
            .unit = unit_of(facts.cgroup, cgroup),
            .container = container_of_cgroup(facts.cgroup)};
}

Listener listener_of(const SocketInfo& socket, const Look& look, std::uint64_t place) {
    Listener listener{.place = place,
                      .proto = socket.proto,
                      .address = socket.local,
                      .port = socket.local_port,
                      .is_v6_only = socket.is_ipv6_only,
                      .interface = {},
                      .uid = socket.uid,
                      .process = std::nullopt};
    if (socket.ifindex == 0) return listener;
    const auto at = std::ranges::find(look.interfaces, socket.ifindex, &Interface::index);
    listener.interface =
        at == look.interfaces.end() ? fmt::format("if{}", socket.ifindex) : at->name;
    return listener;
}

// Alike in everything that is told are one, with a count.
std::vector<Listener> folded(std::vector<Listener> listeners) {
    std::vector<Listener> kept;
    using Key = std::tuple<std::uint64_t, std::uint8_t, Address, std::uint16_t, bool, std::string,
                           std::uint32_t, std::string, std::string>;
    std::map<Key, std::size_t> seen;
    for (Listener& one : listeners) {
        const std::string exe = one.process ? one.process->exe + '\0' + one.process->comm : "";
        const std::string cgroup = one.process ? one.process->cgroup : "";
        const auto [at, is_new] =
            seen.try_emplace(Key{one.place, one.proto, one.address, one.port, one.is_v6_only,
                                 one.interface, one.uid, exe, cgroup},
                             kept.size());
        if (is_new) {
            kept.push_back(std::move(one));
            continue;
        }
        Listener& first = kept[at->second];
        ++first.sockets;
        first.pids.insert(first.pids.end(), one.pids.begin(), one.pids.end());
        std::ranges::sort(first.pids);
        first.pids.erase(std::ranges::unique(first.pids).begin(), first.pids.end());
    }
    return kept;
}

struct Found {
    Listener listener;
    std::uint64_t inode = 0;
};

void add_look(Machine& machine, std::vector<Found>& found, const Look& look, Place place) {
    for (const SocketInfo& socket : look.sockets)
        found.push_back(
            {.listener = listener_of(socket, look, place.inode), .inode = socket.inode});
    machine.places.push_back(std::move(place));
}

Status look_elsewhere(Machine& machine, std::vector<Found>& found) {
    const std::vector<NetNamespace> others = SP_TRY(other_namespaces());
    std::size_t unread = 0;
    for (const NetNamespace& where : others) {
        const Result<Look> look = run_inside(where, look_here);
        if (!look) {
            ++unread;
            continue;
        }
        Place place = place_of(*look, where.inode);
        place.pid = static_cast<std::uint32_t>(where.pid);
        place.container = container_of_cgroup(process_facts(place.pid).cgroup);
        add_look(machine, found, *look, std::move(place));
    }
    if (unread != 0)
        machine.unseen.push_back(
            fmt::format("{} network namespaces could not be entered; that needs root", unread));
    return {};
}

void add_processes(Machine& machine, std::vector<Found>& found, const std::string& cgroup) {
    std::set<std::uint64_t> inodes;
    for (const Found& one : found)
        if (one.inode != 0) inodes.insert(one.inode);
    Result<SocketHolders> holders = find_socket_holders(inodes);
    if (!holders) {
        machine.unseen.push_back("which processes hold the sockets: " + holders.error().text());
        holders = SocketHolders{};
    }
    if (holders->unread != 0)
        machine.unseen.push_back(
            fmt::format("what {} processes of others hold open; that needs root", holders->unread));
    std::map<std::uint32_t, Process> known;
    for (const auto& [pid, facts] : holders->processes)
        known.emplace(pid, process_of(facts, cgroup));
    std::vector<Listener> all;
    for (Found& one : found) {
        if (const auto at = holders->pids.find(one.inode); at != holders->pids.end()) {
            one.listener.pids = at->second;
            for (const std::uint32_t pid : at->second)
                if (!one.listener.process && known.contains(pid)) one.listener.process = known[pid];
        }
        all.push_back(std::move(one.listener));
    }
    machine.listeners = folded(std::move(all));
}

} // namespace

Result<Machine> read_machine(Scope scope, AskNat ask_nat, const std::string& cgroup) {
    Machine machine;
    std::vector<Found> found;
    const Look here = SP_TRY(look_here());
    struct stat own{};
    if (stat("/proc/thread-self/ns/net", &own) != 0)
        return fail_errno(errno, "/proc/thread-self/ns/net");
    Place place = place_of(here, own.st_ino);
    place.is_host = true;
    place.forwards_v4 = is_on("/proc/sys/net/ipv4/ip_forward");
    place.forwards_v6 = is_on("/proc/sys/net/ipv6/conf/all/forwarding");
    add_look(machine, found, here, std::move(place));
    if (scope == Scope::every_namespace) {
        const Status went = look_elsewhere(machine, found);
        if (!went) machine.unseen.push_back("other namespaces: " + went.error().text());
        if (geteuid() != 0)
            machine.unseen.emplace_back("namespaces of processes of others; that needs root");
    }
    add_processes(machine, found, cgroup);
    if (ask_nat == AskNat::yes) machine.nat = read_nat();
    for (const Listener& listener : machine.listeners) {
        if (!listener.process || !listener.process->exe.ends_with("/docker-proxy")) continue;
        if (const auto one = nat_of_docker_proxy(listener.process->argv))
            machine.nat.published.push_back(*one);
    }
    return machine;
}

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
// The wall's NICs and the machine's own addresses: what the programs know of them,
// which are guarded, and following them as they come and go.
#include "daemon/wall.h"
#include "kernel/apply.h"
#include "kernel/map.h"
#include "kernel/namespaces.h"
#include "sallyport/abi/control.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

namespace sallyport {
namespace {

sp_addr to_abi(const Address& address) {
    sp_addr a{};
    std::copy(address.bytes.begin(), address.bytes.end(), a.bytes);
    return a;
}

bool any_glob_matches(const std::vector<std::string>& globs, const std::string& name) {
    return std::any_of(globs.begin(), globs.end(),
                       [&](const std::string& glob) { return glob_matches(glob, name); });
}

bool is_literal(const std::string& glob) {
    return glob.find_first_of("*?[") == std::string::npos;
}

} // namespace

Status Wall::read_interfaces() {
    interfaces_ = SP_TRY(list_interfaces());
    return {};
}

// A NIC that is named must be there; a glob may wait for what comes.
Status Wall::check_nics(const std::vector<std::string>& globs) const {
    std::string names;
    for (const Interface& interface : interfaces_)
        if (!interface.is_loopback) names += (names.empty() ? "" : ", ") + interface.name;
    bool any = false;
    for (const std::string& glob : globs) {
        const auto found =
            std::find_if(interfaces_.begin(), interfaces_.end(), [&](const Interface& i) {
                return !i.is_loopback && glob_matches(glob, i.name);
            });
        any = any || found != interfaces_.end();
        if (found == interfaces_.end() && is_literal(glob))
            return fail(ErrorKind::not_found, fmt::format("there is no interface {}", glob),
                        fmt::format("[host] interfaces must name NICs of this machine; it has: {}",
                                    names.empty() ? "none" : names));
    }
    if (!any)
        return fail(ErrorKind::not_found, "no interface matches [host] interfaces",
                    fmt::format("this machine has: {}", names.empty() ? "none" : names));
    for (const Interface& interface : interfaces_) {
        if (interface.is_loopback || !any_glob_matches(globs, interface.name)) continue;
        if (interface.index >= SP_IFINDEX_MAX)
            return fail(ErrorKind::not_supported,
                        fmt::format("{} has index {}; one above {} cannot be guarded",
                                    interface.name, interface.index, SP_IFINDEX_MAX - 1));
        if (interface.link == SP_LINK_NONE)
            return fail(ErrorKind::not_supported,
                        fmt::format("{} carries neither Ethernet nor bare IP", interface.name),
                        "leave it out of [host] interfaces");
    }
    return {};
}

std::vector<GuardedNic> Wall::wanted_nics() const {
    std::vector<GuardedNic> nics;
    for (const Interface& interface : interfaces_)
        if (!interface.is_loopback && interface.link != SP_LINK_NONE &&
            interface.index < SP_IFINDEX_MAX &&
            any_glob_matches(enforced_.interfaces, interface.name))
            nics.push_back({.name = interface.name,
                            .index = interface.index,
                            .bare_ip = interface.link == SP_LINK_IP});
    return nics;
}

bool Wall::is_guarded(const std::string& name) const {
    return std::any_of(guarded_.begin(), guarded_.end(),
                       [&](const GuardedNic& nic) { return nic.name == name; });
}

// Brings sp_local to what the machine has now: new addresses first, then those gone.
Status Wall::write_locals() {
    std::map<Address, std::uint32_t> wanted;
    for (const Interface& interface : interfaces_)
        for (const InterfaceAddress& a : interface.addresses) wanted[a.address] |= a.kind;
    if (const Result<Elsewhere> elsewhere = addresses_elsewhere())
        for (const Address& a : elsewhere->addresses) wanted[a] |= SP_LOCAL_ELSEWHERE;
    const int map = programs_.maps().local;
    for (const auto& [address, kind] : wanted) {
        const sp_addr key = to_abi(address);
        SP_TRY(map_update(map, key, kind).context("noting own addresses"));
    }
    for (const sp_addr& key : keys_of<sp_addr>(map)) {
        Address address;
        std::copy(std::begin(key.bytes), std::end(key.bytes), address.bytes.begin());
        if (!wanted.contains(address)) SP_TRY(map_delete(map, key));
    }
    return {};
}

Status Wall::write_iface(const Interface& interface, std::uint32_t slot, const MapImage* image) {
    if (interface.index >= SP_IFINDEX_MAX || interface.is_loopback) return {};
    const int map = programs_.maps().ifaces;
    sp_iface entry = SP_TRY(map_lookup<sp_iface>(map, interface.index)).value_or(sp_iface{});
    entry.link = static_cast<std::uint8_t>(interface.link);
    std::copy(interface.mac.begin(), interface.mac.end(), entry.mac);
    entry.guarded = any_glob_matches(enforced_.interfaces, interface.name) ? 1 : 0;
    if (image) {
        entry.iface_class[slot] = 0;
        for (const InterfaceClass& c : image->interfaces)
            if (c.name == interface.name) entry.iface_class[slot] = c.number;
    }
    if (entry.guarded) {
        // A number is an interface's for as long as the pins stand, so that its counters never go
        // back.
        const auto [at, fresh] = enforced_.nic_counters.try_emplace(
            interface.name, static_cast<std::uint32_t>(enforced_.nic_counters.size()));
        if (at->second >= SP_NICS_MAX) {
            enforced_.nic_counters.erase(interface.name);
            return fail(ErrorKind::not_supported,
                        fmt::format("more than {} guarded interfaces", SP_NICS_MAX));
        }
        entry.counter = at->second;
    }
    return map_update(map, interface.index, entry);
}

Status Wall::write_ifaces(std::uint32_t slot, const MapImage* image) {
    for (const Interface& interface : interfaces_)
        SP_TRY(write_iface(interface, slot, image).context("describing " + interface.name));
    return {};
}

Status Wall::guard_nics(XdpMode mode, WallNews& news) {
    for (const Interface& interface : interfaces_) SP_TRY(write_iface(interface, 0, nullptr));
    for (const GuardedNic& nic : wanted_nics()) {
        if (is_guarded(nic.name)) continue;
        Status installed = hooks_.install_nic(programs_, pins_, nic, mode);
        if (!installed) {
            hooks_.remove_nic(pins_, nic.name);
            return installed;
        }
        guarded_.push_back(nic);
        news.hooks.push_back({.state = EventState::attached, .hook = "xdp", .iface = nic.name});
        for (const HookState& state : hooks_.states())
            if (state.hook == "xdp" && state.iface == nic.name)
                news.notes.push_back(fmt::format("guarding {} ({} XDP{}{})", nic.name, state.mode,
                                                 state.why.empty() ? "" : ": ", state.why));
    }
    return {};
}

// What no glob names any more, or is gone.
void Wall::release_nics(WallNews& news) {
    const std::vector<GuardedNic> wanted = wanted_nics();
    std::erase_if(guarded_, [&](const GuardedNic& nic) {
        const bool stays = std::any_of(wanted.begin(), wanted.end(), [&](const GuardedNic& w) {
            return w.name == nic.name && w.index == nic.index;
        });
        if (stays) return false;
        hooks_.remove_nic(pins_, nic.name);
        news.hooks.push_back({.state = EventState::lost, .hook = "xdp", .iface = nic.name});
        return true;
    });
}

Status Wall::follow_interfaces(WallNews& news) {
    const auto names = [this] {
        std::set<std::string> all;
        for (const Interface& interface : interfaces_) all.insert(interface.name);
        return all;
    };
    const std::set<std::string> before = names();
    SP_TRY(read_interfaces());
    SP_TRY(write_locals());
    release_nics(news);
    const std::uint64_t word = SP_TRY(control_word(programs_.maps()));
    const sp_slot slot = SP_TRY(read_slot(programs_.maps(), sp_control_active(word)));
    SP_TRY(guard_nics(xdp_mode(), news));
    // A policy that tells interfaces apart must be compiled for the new ones.
    if (slot.n_ifaces <= 1 || !policy_ || names() == before) return {};
    const std::string applied = enforced_.applied;
    const PolicySource same{
        .policy = *policy_, .file = enforced_.file, .sha256 = enforced_.sha256, .by = enforced_.by};
    MapImage image;
    const std::uint32_t free = SP_TRY(load_policy_into_slot(same, image));
    SP_TRY(switch_to(same, free, image, news));
    enforced_.applied = applied; // the operator's, not ours
    return {};
}

void Wall::mend(WallNews& news) {
    const std::vector<HookState> lost = hooks_.lost();
    if (lost.empty()) return;
    const Status read = read_interfaces();
    Result<Cgroup> cgroup = open_cgroup(cgroup_mount_, enforced_.cgroup);
    if (!read || !cgroup) {
        news.notes.push_back(!read ? read.error().text() : cgroup.error().text());
        return;
    }
    for (const HookState& hook : lost)
        news.hooks.push_back({.state = EventState::lost, .hook = hook.hook, .iface = hook.iface});
    release_nics(news);
    Status mended = hooks_.install_owners(programs_, pins_, cgroup->directory.get());
    if (mended) mended = hooks_.install_cgroup(programs_, pins_, cgroup->directory.get());
    for (const GuardedNic& nic : guarded_)
        if (mended) mended = hooks_.install_nic(programs_, pins_, nic, xdp_mode());
    if (!mended) news.notes.push_back(mended.error().text());
    const std::vector<HookState> still = hooks_.lost();
    for (const HookState& hook : lost) {
        const bool back = std::none_of(still.begin(), still.end(), [&](const HookState& s) {
            return s.hook == hook.hook && s.iface == hook.iface;
        });
        if (back)
            news.hooks.push_back(
                {.state = EventState::restored, .hook = hook.hook, .iface = hook.iface});
    }
}

std::string Wall::interface_name(unsigned index) const {
    for (const Interface& interface : interfaces_)
        if (interface.index == index) return interface.name;
    return {};
}

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
// The wall's NICs: which are guarded, and following them as they come and go.
#include "daemon/wall.h"
#include "kernel/apply.h"
#include "kernel/map.h"
#include "kernel/trial.h"
#include "sallyport/abi/control.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>
#include <utility>

namespace sallyport {
namespace {

bool any_glob_matches(const std::vector<std::string>& globs, const std::string& name) {
    return std::any_of(globs.begin(), globs.end(),
                       [&](const std::string& glob) { return glob_matches(glob, name); });
}

std::set<std::string> names_of(const std::vector<Interface>& interfaces) {
    std::set<std::string> names;
    for (const Interface& interface : interfaces) names.insert(interface.name);
    return names;
}

bool is_literal(const std::string& glob) {
    return glob.find_first_of("*?[") == std::string::npos;
}

} // namespace

Status Wall::read_interfaces() {
    std::vector<Interface> now = SP_TRY(list_interfaces());
    if (!interfaces_.empty() && names_of(now) != names_of(interfaces_)) names_changed_ = true;
    // What a device was, its successor under the same index is not.
    for (const Interface& old : interfaces_)
        if (old.index < SP_IFINDEX_MAX &&
            !std::ranges::binary_search(now, old.index, {}, &Interface::index))
            SP_TRY(map_update(programs_.maps().ifaces, old.index, sp_iface{}));
    interfaces_ = std::move(now);
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

bool Wall::matches(const Interface& interface) const {
    return !interface.is_loopback && interface.link != SP_LINK_NONE &&
           interface.index < SP_IFINDEX_MAX &&
           (any_glob_matches(enforced_.guards(), interface.name) ||
            kept_.contains(interface.index));
}

// What a port of a bond or bridge receives for this host arrives on its master: where both
// match, the master alone has the hooks.
const Interface* Wall::master_that_covers(const Interface& interface) const {
    if (interface.master == 0) return nullptr;
    const auto master = std::ranges::find(interfaces_, interface.master, &Interface::index);
    if (master == interfaces_.end()) return nullptr;
    return matches(*master) ? &*master : master_that_covers(*master);
}

std::vector<GuardedNic> Wall::wanted_nics() const {
    std::vector<GuardedNic> nics;
    for (const Interface& interface : interfaces_)
        if (matches(interface) && !master_that_covers(interface))
            nics.push_back({.name = interface.name,
                            .index = interface.index,
                            .bare_ip = interface.link == SP_LINK_IP});
    return nics;
}

bool Wall::is_guarded(const std::string& name) const {
    return std::any_of(guarded_.begin(), guarded_.end(),
                       [&](const GuardedNic& nic) { return nic.name == name; });
}

Status Wall::guard_nics(XdpMode mode, OnRefusal how, WallNews& news) {
    for (const Interface& interface : interfaces_) SP_TRY(write_iface(interface, 0, nullptr));
    for (const GuardedNic& nic : wanted_nics()) {
        if (is_guarded(nic.name)) continue;
        const Status installed = hooks_.install_nic(programs_, pins_, nic, mode);
        if (!installed && how == OnRefusal::fail) {
            hooks_.remove_nic(pins_, nic.name);
            return installed;
        }
        guarded_.push_back(nic);
        if (!installed) {
            // mend() goes on trying. What it lacks is named, and told once.
            const std::string why = installed.error().text();
            hooks_.miss(
                {.hook = "xdp", .iface = nic.name, .mode = "", .attached = false, .why = why});
            continue;
        }
        news.hooks.push_back(
            {.state = EventState::attached, .hook = "xdp", .iface = nic.name, .why = ""});
        for (const HookState& state : hooks_.states())
            if (state.hook == "xdp" && state.iface == nic.name)
                news.notes.push_back(fmt::format("guarding {} ({} XDP{}{})", nic.name, state.mode,
                                                 state.why.empty() ? "" : ": ", state.why));
    }
    return {};
}

// What no glob names any more, is covered by its master now, or is gone.
void Wall::release_nics(WallNews& news) {
    std::erase_if(kept_, [this](unsigned index) {
        return std::ranges::find(interfaces_, index, &Interface::index) == interfaces_.end();
    });
    const std::vector<GuardedNic> wanted = wanted_nics();
    std::erase_if(guarded_, [&](const GuardedNic& nic) {
        const bool stays = std::any_of(wanted.begin(), wanted.end(), [&](const GuardedNic& w) {
            return w.name == nic.name && w.index == nic.index;
        });
        if (stays) return false;
        hooks_.remove_nic(pins_, nic.name);
        const bool told = told_.erase("xdp " + nic.name) + told_.erase("tc " + nic.name) != 0;
        const auto there = std::ranges::find(interfaces_, nic.index, &Interface::index);
        std::string why = "the interface is gone";
        if (there != interfaces_.end()) {
            const Interface* master = master_that_covers(*there);
            why = master ? fmt::format("a port of {}, which is guarded", master->name)
                         : "the policy does not name it";
        }
        if (!told)
            news.hooks.push_back({.state = EventState::lost,
                                  .hook = "xdp",
                                  .iface = nic.name,
                                  .why = std::move(why)});
        return true;
    });
}

// A NIC that was renamed stays guarded, pins and counters with it, also when no glob names it
// by its new name: a rename is no word of the operator's that it shall be open. The next
// policy to be loaded is.
void Wall::follow_names(WallNews& news) {
    std::map<std::string, std::uint32_t> moved;
    std::vector<GuardedNic> now;
    for (GuardedNic& nic : guarded_) {
        const auto at = std::ranges::find(interfaces_, nic.index, &Interface::index);
        if (at == interfaces_.end() || at->name == nic.name) continue;
        if (const auto number = enforced_.nic_counters.find(nic.name);
            number != enforced_.nic_counters.end()) {
            moved[at->name] = number->second;
            enforced_.nic_counters.erase(number);
        }
        const bool named = any_glob_matches(enforced_.guards(), at->name);
        if (!named) kept_.insert(nic.index);
        news.notes.push_back(fmt::format(
            "{} is called {} now and stays guarded{}", nic.name, at->name,
            named ? ""
                  : " until the next policy is loaded, though [host] interfaces names it not"));
        nic.name = at->name;
        now.push_back(nic);
    }
    if (now.empty()) return;
    for (const auto& [name, number] : moved) enforced_.nic_counters[name] = number;
    const Status renamed = hooks_.rename_nics(pins_, now);
    if (!renamed) news.notes.push_back(renamed.error().text());
}

// When adopting: NICs that were guarded, and may have been renamed while no daemon ran.
void Wall::find_pinned_nics(WallNews& news) {
    for (const GuardedNic& nic : pinned_nics(pins_)) {
        const auto at = std::ranges::find(interfaces_, nic.index, &Interface::index);
        if (at == interfaces_.end()) continue;
        guarded_.push_back(nic);
        if (!any_glob_matches(enforced_.guards(), at->name)) kept_.insert(nic.index);
    }
    follow_names(news);
    guarded_.clear(); // their hooks are still to be taken over
}

Status Wall::follow_interfaces(WallNews& news) {
    SP_TRY(read_interfaces());
    const std::map<std::string, std::uint32_t> counters = enforced_.nic_counters;
    follow_names(news);
    release_nics(news);
    // Guarded before all else: who waits is open.
    SP_TRY(guard_nics(enforced_.xdp, OnRefusal::keep_trying, news));
    vlan_offloads_.follow(guarded_, interfaces_, news.notes);
    SP_TRY(write_locals());
    if (enforced_.nic_counters != counters) save(news);
    judge_routed(news);
    // A policy that tells interfaces apart must be compiled for the new ones.
    if ((!names_changed_ && !uncompiled_) || !SP_TRY(tells_interfaces_apart())) return {};
    if (!policy_) {
        if (uncompiled_)
            news.notes.push_back("rules differ by interface, and the policy in force is no longer "
                                 "what its file says: interfaces that came since are shut until "
                                 "a policy is loaded (SIGHUP)");
        return {};
    }
    const std::string applied = enforced_.applied;
    const PolicySource same{.policy = *policy_,
                            .file = enforced_.file,
                            .sha256 = enforced_.sha256,
                            .by = enforced_.by,
                            .contents = enforced_.contents,
                            .text = nullptr};
    MapImage image;
    const std::uint32_t free =
        SP_TRY(load_policy_into_slot(same, enforced_.panic ? As::panic : As::policy, image));
    SP_TRY(switch_to(same, free, image, news, {.kept = Kept::stay}));
    enforced_.applied = applied; // the operator's, not ours
    return {};
}

Result<Wall::Guarded> Wall::guarded(const std::string& name) const {
    const auto interface = std::ranges::find(interfaces_, name, &Interface::name);
    if (interface == interfaces_.end())
        return fail(ErrorKind::not_found, "there is no interface " + name);
    if (!matches(*interface)) {
        const bool named = any_glob_matches(enforced_.guards(), name);
        if (named && !interface->is_loopback)
            return fail(ErrorKind::not_supported,
                        name + " carries neither Ethernet nor bare IP, or its index is too high");
        return Guarded{.guarded = false, .mode = "", .why = "the policy in force does not name it"};
    }
    if (const Interface* master = master_that_covers(*interface))
        return Guarded{.guarded = false,
                       .mode = "",
                       .why = fmt::format("a port of {}, whose hooks cover it", master->name)};
    for (const HookState& hook : hooks_.states()) {
        if (hook.hook != "xdp" || hook.iface != name) continue;
        if (!hook.attached) return fail(ErrorKind::kernel, hook.why);
        return Guarded{.guarded = true, .mode = hook.mode, .why = hook.why};
    }
    return fail(ErrorKind::kernel, name + " has no hooks");
}

Result<Wall::Guarded> Wall::guard_one(Pins pins, const std::string& state_dir,
                                      const std::string& name) {
    const std::string layout = pins.layout_dir();
    Programs programs = SP_TRY(Programs::open_standing(layout));
    Wall wall(std::move(pins), std::move(programs), state_dir);
    const ControlState control = SP_TRY(control_state(wall.programs_.maps()));
    const sp_slot slot = SP_TRY(read_slot(wall.programs_.maps(), control.slot));
    const std::optional<Enforced> enforced = SP_TRY(load_enforced(state_dir, slot.generation));
    if (!enforced)
        return fail(ErrorKind::not_found, "there is no record of what is enforced in " + state_dir,
                    "sallyport run adopts the wall, or raises it");
    wall.enforced_ = *enforced;
    SP_TRY(wall.read_interfaces());
    WallNews news;
    wall.find_pinned_nics(news);
    const auto interface = std::ranges::find(wall.interfaces_, name, &Interface::name);
    if (interface == wall.interfaces_.end() || !wall.matches(*interface) ||
        wall.master_that_covers(*interface))
        return wall.guarded(name);
    SP_TRY(wall.write_iface(*interface, 0, nullptr));
    SP_TRY(wall.hooks_.install_nic(
        wall.programs_, wall.pins_,
        {.name = name, .index = interface->index, .bare_ip = interface->link == SP_LINK_IP},
        wall.enforced_.xdp));
    if (control.phase == TrialPhase::runs) wall.trial_.emplace(); // its record is not to settle
    if (wall.enforced_ != *enforced) wall.save(news);
    return wall.guarded(name);
}

std::vector<std::string> Wall::covers_vlans() const {
    std::vector<std::string> names;
    for (const GuardedNic& nic : guarded_) names.push_back(nic.name);
    return covers_vlans_unseen(names, interfaces_);
}

std::string Wall::interface_name(unsigned index) const {
    for (const Interface& interface : interfaces_)
        if (interface.index == index) return interface.name;
    return {};
}

} // namespace sallyport

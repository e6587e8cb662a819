// SPDX-License-Identifier: Apache-2.0
#include "daemon/pins_status.h"

#include "daemon/enforced.h"
#include "daemon/status_build.h"
#include "daemon/vlan_offloads.h"
#include "kernel/apply.h"
#include "kernel/hooks.h"
#include "kernel/link.h"
#include "kernel/map.h"
#include "kernel/pins.h"
#include "kernel/trial.h"
#include "sallyport/abi/control.h"

#include <cerrno>
#include <filesystem>
#include <optional>
#include <set>

namespace sallyport {
namespace {

// The few maps a status is made of, from their pins.
struct PinnedMaps {
    Fd control, slots, counts, nic_counts, rule_counts, flow_count, bans;
    [[nodiscard]] Maps maps() const {
        Maps m;
        m.control = control.get();
        m.slots = slots.get();
        m.counts = counts.get();
        m.nic_counts = nic_counts.get();
        m.rule_counts = rule_counts.get();
        m.flow_count = flow_count.get();
        m.ban_state = bans.get();
        return m;
    }
};

Result<PinnedMaps> open_maps(const std::string& layout) {
    // One by one: g++ 12 forgets the members of a half-built aggregate on an early return.
    PinnedMaps pinned;
    pinned.control = SP_TRY(open_pinned(layout + "/maps/sp_control"));
    pinned.slots = SP_TRY(open_pinned(layout + "/maps/sp_slots"));
    pinned.counts = SP_TRY(open_pinned(layout + "/maps/sp_counts"));
    pinned.nic_counts = SP_TRY(open_pinned(layout + "/maps/sp_nic_counts"));
    pinned.rule_counts = SP_TRY(open_pinned(layout + "/maps/sp_rule_counts"));
    pinned.flow_count = SP_TRY(open_pinned(layout + "/maps/sp_flow_count"));
    // A wall of a version that knew no bans has none.
    if (Result<Fd> bans = open_pinned(layout + "/maps/sp_ban_state"))
        pinned.bans = *std::move(bans);
    return pinned;
}

// A pin's name says which hook it is: "xdp-native-eth0", "tcx-eth0", "connect4".
HookState state_of_pin(const std::string& name, const std::string& path) {
    HookState state{.hook = name, .iface = "", .mode = "", .attached = false, .why = ""};
    const auto strip = [&](const std::string& prefix, const char* hook, const char* mode) {
        if (!name.starts_with(prefix)) return;
        state.hook = hook;
        state.mode = mode;
        state.iface = name.substr(prefix.size());
    };
    strip("xdp-native-", "xdp", "native");
    strip("xdp-generic-", "xdp", "generic");
    strip("tcx-", "tc", "tcx");
    if (const std::optional<HookState> netfilter = netfilter_state(name, path)) return *netfilter;
    const Result<Link> link = Link::open(path);
    state.attached = link && link->is_live();
    if (!state.attached) state.why = link ? "the link has lost its hook" : link.error().text();
    return state;
}

// Before 6.6 TC has no link to pin: a NIC's filter is looked up by the NIC's name.
void add_clsact(std::vector<HookState>& hooks) {
    std::set<std::string> without_tcx;
    for (const HookState& hook : hooks)
        if (hook.hook == "xdp") without_tcx.insert(hook.iface);
    for (const HookState& hook : hooks)
        if (hook.hook == "tc") without_tcx.erase(hook.iface);
    for (const std::string& iface : without_tcx)
        if (std::optional<HookState> state = clsact_state(iface))
            hooks.push_back(std::move(*state));
}

} // namespace

Result<StatusView> status_from_pins(const Paths& paths) {
    const std::string layout = layout_dir_of(paths.bpffs);
    std::error_code error;
    if (!std::filesystem::exists(layout + "/maps/sp_control", error)) {
        if (error && error.value() == EACCES)
            return fail(ErrorKind::permission, "the pins are for root only", "run it as root");
        StatusView view;
        view.why = "sallyport is not running and has no pins in " + paths.bpffs;
        if (const std::vector<std::string> others = other_layouts(paths.bpffs); !others.empty())
            view.why = "a wall of another version stands in " + others.front() +
                       ", which this one cannot read: run takes it over, down removes it";
        return view;
    }
    Result<PinnedMaps> opened = open_maps(layout);
    if (!opened && opened.error().kind == ErrorKind::not_found &&
        std::filesystem::is_empty(layout + "/links", error) && !error) {
        StatusView view;
        view.why = "a start or an end of the wall was cut short; no hook is attached";
        return view;
    }
    if (!opened) return std::unexpected<Error>(std::move(opened).error());
    const PinnedMaps& pinned = *opened;
    std::vector<HookState> hooks;
    for (const std::filesystem::directory_entry& entry :
         std::filesystem::directory_iterator(layout + "/links", error))
        hooks.push_back(
            state_of_pin(pin_of_file(entry.path().filename().string()), entry.path().string()));
    add_clsact(hooks);
    for (HookState& state : forward_filters()) hooks.push_back(std::move(state));
    const ControlState control = SP_TRY(control_state(pinned.maps()));
    const sp_slot slot = SP_TRY(read_slot(pinned.maps(), control.slot));
    const Result<std::optional<Enforced>> enforced =
        load_enforced(paths.state_dir, slot.generation);
    StatusView view =
        SP_TRY(build_status(pinned.maps(), hooks, enforced && *enforced ? **enforced : Enforced{}));
    std::vector<std::string> guarded;
    for (const HookState& hook : hooks)
        if (hook.hook == "xdp") guarded.push_back(hook.iface);
    if (const Result<std::vector<Interface>> all = list_interfaces())
        for (const std::string& nic : covers_vlans_unseen(guarded, *all))
            view.blind.push_back("vlans:" + nic);
    return view;
}

} // namespace sallyport

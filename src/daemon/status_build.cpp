// SPDX-License-Identifier: Apache-2.0
#include "daemon/status_build.h"

#include "daemon/other_ways.h"
#include "event/names.h"
#include "kernel/apply.h"
#include "kernel/bans.h"
#include "kernel/counters.h"
#include "kernel/flows.h"
#include "kernel/trial.h"
#include "sallyport/abi/control.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sallyport {
namespace {

constexpr const char* kNoNic = "no interface is guarded";
constexpr const char* kSocketHooks[] = {"lsm_create", "lsm_receive", "lsm_sendmsg"};

bool refuses_packet_sockets(const std::vector<HookState>& hooks) {
    return std::ranges::all_of(kSocketHooks, [&hooks](const std::string& name) {
        return std::ranges::any_of(
            hooks, [&name](const HookState& hook) { return hook.hook == name && hook.attached; });
    });
}

// What no hook of ours sees on this kernel (docs/threat-model.md).
std::vector<std::string> blind_spots(const std::vector<HookState>& hooks, const sp_slot& slot) {
    std::vector<std::string> blind;
    const bool refuses = refuses_packet_sockets(hooks);
    if (slot.flags & SP_SLOT_PACKET_DENY && !refuses) blind.push_back("packet-sockets");
    if (!refuses || !(slot.flags & SP_SLOT_PACKET_DENY) || slot.flags & SP_SLOT_OBSERVE)
        blind.insert(blind.end(), {"af-xdp", "packet-qdisc-bypass"});
    std::error_code error;
    if (!std::filesystem::is_empty("/sys/class/infiniband", error) && !error)
        blind.push_back("rdma");
    for (std::string& way : other_ways(system_other_ways())) blind.push_back(std::move(way));
    for (std::string& path : fast_paths(flowtables())) blind.push_back(std::move(path));
    for (const HookState& hook : hooks)
        if (!hook.attached && !is_socket_hook(hook.hook))
            blind.push_back(hook.iface.empty() ? hook.hook : hook.hook + ":" + hook.iface);
    if (std::ranges::none_of(hooks,
                             [](const HookState& h) { return h.hook.starts_with("hold_"); })) {
        blind.push_back("new-interfaces"); // until they are guarded
        for (std::string& sharer : nic_sharers("")) blind.push_back(std::move(sharer));
    }
    return blind;
}

// One line for a pair of programs of both families.
void add_pair(StatusView& view, const std::vector<HookState>& hooks, const std::string& name,
              const std::vector<std::string>& parts, std::uint64_t admitted,
              std::uint64_t dropped) {
    std::size_t attached = 0;
    for (const HookState& hook : hooks)
        for (const std::string& part : parts)
            attached += hook.hook == part && hook.attached ? 1u : 0u;
    view.hooks.push_back({.hook = name,
                          .iface = "",
                          .mode = "",
                          .attached = attached == parts.size(),
                          .admitted = admitted,
                          .dropped = dropped,
                          .admitted_bytes = 0,
                          .dropped_bytes = 0});
}

// What is routed: netfilter links of both families, or a filter on each interface without
// guard; counted together.
void add_forward(StatusView& view, const std::vector<HookState>& hooks, std::uint64_t admitted,
                 std::uint64_t dropped) {
    std::size_t links = 0;
    std::size_t filters = 0;
    std::size_t attached = 0;
    for (const HookState& hook : hooks) {
        if (!hook.hook.starts_with("forward")) continue;
        ++(hook.hook == "forward" ? filters : links);
        attached += hook.attached ? 1u : 0u;
    }
    if (links + filters == 0) return; // nothing but guarded NICs, which judge by themselves
    const std::size_t wanted = links != 0 ? std::max<std::size_t>(links, 2) : filters;
    view.hooks.push_back({.hook = "forward",
                          .iface = "",
                          .mode = links != 0 ? "netfilter" : "tc",
                          .attached = attached == wanted,
                          .admitted = admitted,
                          .dropped = dropped,
                          .admitted_bytes = 0,
                          .dropped_bytes = 0});
}

Status add_hooks(StatusView& view, const Maps& maps, const std::vector<HookState>& hooks,
                 const Enforced& enforced, const Counters& counters) {
    for (const HookState& hook : hooks) {
        if (hook.hook != "xdp" && hook.hook != "tc") continue;
        sp_nic_count count{};
        const auto number = enforced.nic_counters.find(hook.iface);
        if (number != enforced.nic_counters.end())
            count = SP_TRY(
                read_nic_count(maps, number->second + (hook.hook == "tc" ? SP_NICS_MAX : 0)));
        view.hooks.push_back({.hook = hook.hook,
                              .iface = hook.iface,
                              .mode = hook.mode,
                              .attached = hook.attached,
                              .admitted = count.admitted,
                              .dropped = count.dropped,
                              .admitted_bytes = count.admitted_bytes,
                              .dropped_bytes = count.dropped_bytes});
    }
    const auto admitted = [&](unsigned hook) {
        return counters.counts[SP_COUNT_HOOK_ADMITTED + hook];
    };
    const auto dropped = [&](unsigned hook) {
        return counters.counts[SP_COUNT_HOOK_DROPPED + hook];
    };
    add_pair(view, hooks, "connect", {"connect4", "connect6"}, admitted(SP_HOOK_CONNECT),
             dropped(SP_HOOK_CONNECT));
    add_pair(view, hooks, "sendmsg", {"sendmsg4", "sendmsg6"}, admitted(SP_HOOK_SENDMSG),
             dropped(SP_HOOK_SENDMSG));
    add_pair(view, hooks, "cgroup", {"cgroup_egress", "cgroup_ingress", "sock_create", "sock_ops"},
             admitted(SP_HOOK_CGROUP), dropped(SP_HOOK_CGROUP));
    add_forward(view, hooks, admitted(SP_HOOK_FORWARD), dropped(SP_HOOK_FORWARD));
    if (std::ranges::any_of(hooks, [](const HookState& h) { return is_socket_hook(h.hook); }))
        add_pair(view, hooks, "socket", {std::begin(kSocketHooks), std::end(kSocketHooks)},
                 admitted(SP_HOOK_SOCKET), dropped(SP_HOOK_SOCKET));
    const std::vector<std::string> hold{"hold_in4", "hold_in6", "hold_forward4", "hold_forward6"};
    if (std::ranges::any_of(hooks, [&](const HookState& h) { return h.hook == hold[0]; }))
        add_pair(view, hooks, "hold", hold, admitted(SP_HOOK_HOLD), dropped(SP_HOOK_HOLD));
    return {};
}

void judge_state(StatusView& view, const std::vector<HookState>& hooks, const sp_slot& slot) {
    view.generation = slot.generation;
    view.mode = slot.flags & SP_SLOT_OBSERVE ? "observe" : "enforce";
    view.state = slot.flags & SP_SLOT_OBSERVE ? "observing" : "protected";
    if (slot.generation == 0) {
        view.state = "not-protected";
        view.why = "no policy is loaded; the programs deny everything";
        return;
    }
    if (is_aside(slot)) {
        view.generation = 0;
        view.mode = "enforce";
        view.state = "not-protected";
        view.why = "a start or an end of the wall was cut short; nothing is judged";
        return;
    }
    bool xdp = false;
    for (const HookState& hook : hooks) {
        if (hook.hook == "xdp" && hook.attached) xdp = true;
        // The tracepoints only follow cgroups; without them identity is slower, not open.
        if (hook.attached || hook.hook == "cgroup_mkdir" || hook.hook == "cgroup_rmdir") continue;
        if (is_socket_hook(hook.hook)) continue; // `blind` names what they would refuse
        view.state = "not-protected";
        view.why = fmt::format("hook {}{}{} is not attached: {}", hook.hook,
                               hook.iface.empty() ? "" : " on ", hook.iface, hook.why);
    }
    if (!xdp) {
        view.state = "not-protected";
        view.why = kNoNic;
    }
}

Result<nlohmann::json> trial_of(const Maps& maps, const ControlState& control, bool panic) {
    const sp_slot fallback = SP_TRY(read_slot(maps, control.other));
    const std::uint64_t now = boot_ms();
    const std::uint64_t left = control.deadline_ms > now ? control.deadline_ms - now : 0;
    const bool ends = control.deadline_ms < kTrialForEver;
    return nlohmann::json{{"seconds_left", ends ? nlohmann::json((left + 999) / 1000) : nullptr},
                          {"fallback_generation", fallback.generation},
                          {"panic", panic}};
}

} // namespace

std::vector<std::string> awaited(const std::vector<std::string>& globs,
                                 const std::vector<Interface>& nics) {
    std::vector<std::string> missing;
    bool any = false;
    for (const std::string& glob : globs) {
        const bool found = std::ranges::any_of(nics, [&glob](const Interface& nic) {
            return !nic.is_loopback && glob_matches(glob, nic.name);
        });
        any = any || found;
        if (!found && std::ranges::find(missing, glob) == missing.end()) missing.push_back(glob);
    }
    // Where something is guarded, a glob need not match.
    if (any)
        std::erase_if(missing, [](const std::string& glob) {
            return glob.find_first_of("*?[") != std::string::npos;
        });
    return missing;
}

PacketSocketStatus packet_socket_status(const Event& event) {
    return {.pid = event.pid.value_or(0),
            .comm = event.comm,
            .exe = event.exe,
            .uid = event.uid.value_or(0),
            .cgroup = event.cgroup,
            .unit = event.unit,
            .family = socket_family_name(event.socket_family),
            .ethertype = event.ethertype ? fmt::format("0x{:04x}", event.ethertype) : "",
            .iface = event.iface,
            .netns = event.detail.empty() ? "host" : "other",
            .qdisc_bypass = event.qdisc_bypass};
}

Result<StatusView> build_status(const Maps& maps, const std::vector<HookState>& hooks,
                                const Enforced& enforced) {
    StatusView view;
    const ControlState control = SP_TRY(control_state(maps));
    const sp_slot slot = SP_TRY(read_slot(maps, control.slot));
    const Counters counters = SP_TRY(read_counters(maps));
    judge_state(view, hooks, slot);
    if (control.phase == TrialPhase::runs)
        view.trial = SP_TRY(trial_of(maps, control, enforced.panic || is_panic(slot, control)));
    view.policy_file = enforced.file;
    view.policy_sha256 = enforced.sha256;
    view.policy_applied = enforced.applied;
    view.policy_by = enforced.by;
    SP_TRY(add_hooks(view, maps, hooks, enforced, counters));
    for (const std::uint8_t reason : all_reasons()) {
        const std::uint64_t count = counters.drops(reason) + counters.would_drops(reason);
        if (count != 0) view.reasons[reason_name(reason)] = count;
    }
    for (const EnforcedRule& rule : enforced.rules) {
        const auto number = enforced.counters.find(rule.name);
        if (number == enforced.counters.end()) continue;
        const sp_rule_count count = SP_TRY(read_rule_count(maps, number->second));
        view.rules.push_back({.name = rule.name,
                              .direction = to_string(rule.direction),
                              .admitted = count.admitted,
                              .limited = count.limited,
                              .bytes = count.bytes,
                              .denied = count.denied});
    }
    view.flow_entries = SP_TRY(flow_count(maps));
    view.flow_max = enforced.flow_max;
    view.flow_refused = counters.counts[SP_COUNT_FLOWS_REFUSED];
    view.cookies_sent = counters.counts[SP_COUNT_COOKIES_SENT];
    view.cookies_taken = counters.counts[SP_COUNT_COOKIES_TAKEN];
    view.challenged = counters.counts[SP_COUNT_CHALLENGED];
    view.proofs_lost = counters.counts[SP_COUNT_PROOFS_LOST];
    view.answers = counters.counts[SP_COUNT_ANSWERS_SENT];
    view.answers_lost = counters.counts[SP_COUNT_ANSWERS_LOST];
    view.bans_active = SP_TRY(count_bans(maps));
    view.events_sent = counters.counts[SP_COUNT_EVENTS_SENT];
    view.events_lost_by = {{to_string(LostBy::ring_full), counters.counts[SP_COUNT_EVENTS_LOST]},
                           {to_string(LostBy::over_rate), counters.counts[SP_COUNT_EVENTS_HELD]}};
    for (const auto& [where, count] : view.events_lost_by) view.events_lost += count;
    view.captures_lost = counters.counts[SP_COUNT_CAPTURES_LOST];
    view.blind = blind_spots(hooks, slot);
    if (const Result<std::vector<Interface>> nics = list_interfaces())
        view.waiting = awaited(enforced.guards(), *nics);
    if (view.why == kNoNic && !view.waiting.empty())
        view.why += fmt::format(": waiting for {}", fmt::join(view.waiting, ", "));
    return view;
}

} // namespace sallyport

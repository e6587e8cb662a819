// SPDX-License-Identifier: Apache-2.0
// What somebody has detached, replaced or unpinned is put back, and told.
#include "daemon/wall.h"

#include <algorithm>
#include <fmt/format.h>

namespace sallyport {
namespace {

std::string key_of(const HookState& hook) {
    return hook.iface.empty() ? hook.hook : hook.hook + " " + hook.iface;
}

bool is_among(const std::vector<HookState>& hooks, const HookState& wanted) {
    return std::ranges::any_of(hooks, [&](const HookState& hook) {
        return hook.hook == wanted.hook && hook.iface == wanted.iface;
    });
}

} // namespace

void Wall::mend(WallNews& news) {
    mend_pins(news);
    if (hooks_.lost().empty()) return;
    const Status read = read_interfaces();
    if (read) forget_routed();
    const std::vector<HookState> lost = hooks_.lost();
    if (lost.empty()) return;
    tell_lost(lost, news);
    if (read) follow_names(news);
    if (read) release_nics(news);
    mend_hooks(lost, news);
}

// The daemon holds every link and map by itself: without their pins nothing is open, but
// all of it would go with the daemon.
void Wall::mend_pins(WallNews& news) {
    const auto pin = [&]() -> Result<std::vector<HookState>> {
        SP_TRY(pins_.restore());
        // Hooks first: they are what a kill at this moment would take along.
        std::vector<HookState> hooks = SP_TRY(hooks_.pin_again(pins_));
        const unsigned maps = SP_TRY(programs_.pin_again(pins_.layout_dir()));
        if (maps != 0)
            news.notes.push_back(fmt::format("{} pins of maps or programs were removed; pinned "
                                             "again",
                                             maps));
        return hooks;
    };
    const Result<std::vector<HookState>> pinned = pin();
    if (!pinned) {
        const std::string why = pinned.error().text();
        if (told_["pins"] != why) news.notes.push_back("the pins are gone: " + why);
        told_["pins"] = why;
        return;
    }
    told_.erase("pins");
    for (const HookState& hook : *pinned)
        news.hooks.push_back({.state = EventState::restored,
                              .hook = hook.hook,
                              .iface = hook.iface,
                              .why = "its pin was removed; the hook itself stood"});
}

void Wall::tell_lost(const std::vector<HookState>& lost, WallNews& news) {
    const std::vector<HookState> states = hooks_.states();
    for (const HookState& hook : lost) {
        const auto state = std::ranges::find_if(
            states, [&hook](const HookState& s) { return is_among({hook}, s); });
        const auto [told, fresh] =
            told_.try_emplace(key_of(hook), state == states.end() ? "" : state->why);
        if (fresh)
            news.hooks.push_back({.state = EventState::lost,
                                  .hook = hook.hook,
                                  .iface = hook.iface,
                                  .why = told->second});
    }
}

void Wall::mend_hooks(const std::vector<HookState>& lost, WallNews& news) {
    const Result<Cgroup> cgroup = open_cgroup(cgroup_mount_, enforced_.cgroup);
    const auto put_back = [&](const HookState& hook) -> Status {
        // A netfilter link takes no program anew: only a lost one is replaced.
        if (hook.hook.starts_with("forward") && hook.iface.empty())
            return hooks_.install_forward(programs_, pins_);
        if (hook.hook.starts_with("forward")) {
            judge_routed(news);
            return {};
        }
        if (hook.hook.starts_with("hold_")) return hooks_.install_hold(programs_, pins_);
        if (hook.iface.empty()) {
            if (!cgroup) return std::unexpected<Error>(cgroup.error());
            SP_TRY(hooks_.install_owners(programs_, pins_, *cgroup));
            return hooks_.install_cgroup(programs_, pins_, *cgroup);
        }
        const auto nic = std::ranges::find(guarded_, hook.iface, &GuardedNic::name);
        if (nic == guarded_.end()) return {}; // it is gone
        return hooks_.install_nic(programs_, pins_, *nic, enforced_.xdp);
    };
    for (const HookState& hook : lost) {
        if (!is_among(hooks_.lost(), hook)) continue; // put back together with another
        const Status back = put_back(hook);
        if (back) continue;
        HookState missing = hook;
        missing.why = back.error().text();
        if (told_[key_of(hook)] != missing.why)
            news.notes.push_back("it cannot be put back yet: " + missing.why);
        told_[key_of(hook)] = missing.why;
        hooks_.miss(std::move(missing));
    }
    const std::vector<HookState> still = hooks_.lost();
    for (const HookState& hook : lost) {
        if (is_among(still, hook) || told_.erase(key_of(hook)) == 0) continue;
        if (hook.hook == "sock_ops") recount_in_ = 0; // it has not heard of what ended
        news.hooks.push_back(
            {.state = EventState::restored, .hook = hook.hook, .iface = hook.iface, .why = ""});
    }
}

} // namespace sallyport

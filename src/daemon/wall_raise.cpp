// SPDX-License-Identifier: Apache-2.0
// A wall where none of this version's layout stands: on bare ground, or in the place of another
// version's.
#include "daemon/wall.h"
#include "kernel/apply.h"
#include "kernel/flows.h"
#include "kernel/namespaces.h"

#include <cerrno>
#include <fmt/format.h>
#include <sys/random.h>

namespace sallyport {
namespace {

Result<sp_settings> fresh_settings(const Policy& policy, const Cgroup& cgroup) {
    sp_settings settings{};
    if (getrandom(settings.secret, sizeof(settings.secret), 0) !=
        static_cast<ssize_t>(sizeof(settings.secret)))
        return fail_errno(errno, "drawing a secret");
    settings.host_cgroup = cgroup.id;
    settings.host_level = cgroup.level;
    settings.host_netns = SP_TRY(netns_cookie());
    settings.forward_hook = SP_FORWARD_NETFILTER; // where the kernel has it
    settings.flow_max = policy.flows.max;
    settings.flow_sets = flow_sets_for(policy.flows.max);
    return settings;
}

} // namespace

Result<Wall> Wall::raise(Pins pins, const PolicySource& source, const Raising& how,
                         const std::string& state_dir, WallNews& news) {
    const std::vector<std::string> others = pins.others();
    const Cgroup cgroup = SP_TRY(open_cgroup(find_cgroup_mount(), source.policy.host.cgroup));
    const sp_settings settings = SP_TRY(fresh_settings(source.policy, cgroup));
    // What a start that died half-way may have left is nobody's enforcement.
    SP_TRY(pins.clear());
    if (others.empty()) {
        SP_TRY(pins.forget_others());
        forget_enforced(state_dir);
    }
    const std::string layout = pins.layout_dir();
    Result<Programs> programs = Programs::load({.settings = settings, .pin_dir = layout});
    if (!programs) {
        static_cast<void>(pins.remove());
        return std::unexpected<Error>(std::move(programs).error());
    }
    Wall wall(std::move(pins), std::move(*programs), state_dir);
    wall.flow_sets_ = settings.flow_sets;
    wall.enforced_.cgroup = source.policy.host.cgroup;
    wall.enforced_.flow_max = settings.flow_max;
    wall.enforced_.interfaces = source.policy.host.interfaces;

    const auto build = [&]() -> Status {
        SP_TRY(wall.read_interfaces());
        if (!how.waits_for_nics) SP_TRY(wall.check_nics(source.policy.host.interfaces));
        SP_TRY(wall.write_locals());
        if (others.empty()) SP_TRY(stand_aside(wall.programs_.maps()));
        wall.open_bans(news); // before a first packet is judged
        wall.use_bans_of(source.policy, news);
        // Followed before they are listed, so that no cgroup is missed.
        SP_TRY(wall.hooks_.install_owners(wall.programs_, wall.pins_, cgroup));
        MapImage image;
        const std::uint32_t slot = SP_TRY(wall.load_policy_into_slot(source, As::policy, image));
        if (how.running == Running::keep)
            wall.keep_running_flows();
        else
            wall.cut_running(source.policy, news);
        if (source.policy.host.packet_sockets == PacketSockets::deny)
            wall.deny_packet_sockets(news);
        const KeepRunning keep = how.running == Running::keep ? KeepRunning::yes : KeepRunning::no;
        if (!others.empty()) return wall.take_over(source, slot, image, cgroup, keep, news);
        SP_TRY(wall.install(cgroup, source.policy.host.xdp,
                            how.waits_for_nics ? OnRefusal::keep_trying : OnRefusal::fail, keep,
                            news));
        wall.note_next(source, image, Kept::go, news);
        SP_TRY(activate(wall.programs_.maps(), slot));
        wall.note_switched(news);
        return {};
    };
    Status built = build();
    if (!built) {
        // What is in force stays so; the next start adopts it.
        if (wall.pins_.stands()) return std::unexpected<Error>(std::move(built).error());
        unstage_enforced(state_dir);
        static_cast<void>(others.empty() ? wall.take_down() : wall.withdraw());
        return std::unexpected<Error>(std::move(built).error());
    }
    wall.policy_ = source.policy;
    wall.settings_.follow(source.policy, news.notes);
    return wall;
}

// Each hook judges by one policy or the other, and none by no policy: the new one is in force
// before the first program that obeys it is at its hook.
Status Wall::take_over(const PolicySource& source, std::uint32_t slot, const MapImage& image,
                       const Cgroup& cgroup, KeepRunning keep, WallNews& news) {
    note_next(source, image, Kept::go, news);
    SP_TRY(activate(programs_.maps(), slot));
    note_switched(news);
    // What was taken over counts no more, nor does its record where ours could not be written.
    const Result<std::optional<Enforced>> settled = load_settled(state_dir_);
    if (!settled || *settled != enforced_) forget_enforced(state_dir_);
    SP_TRY(pins_.take_links(cgroup.id));
    find_pinned_nics(news);
    SP_TRY(install(cgroup, source.policy.host.xdp, OnRefusal::keep_trying, keep, news));
    kept_.clear(); // by another version's policy
    release_nics(news);
    news.notes.push_back("took over the wall of another version");
    return pins_.forget_others();
}

// What was built beside a wall that stands: that one keeps its hooks and settings.
Status Wall::withdraw() {
    hooks_ = Hooks{};
    return pins_.remove();
}

} // namespace sallyport

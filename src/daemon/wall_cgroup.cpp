// SPDX-License-Identifier: Apache-2.0
// The wall over the processes of another cgroup: out of a host that was shut at a boot, when
// that of its policy was not there yet and the nearest above it was taken.
#include "daemon/shut_policy.h"
#include "daemon/wall.h"
#include "kernel/map.h"

#include <fmt/format.h>

namespace sallyport {

Status Wall::check_may_move(const std::string& cgroup, const Change& how) const {
    const std::string what =
        fmt::format("[host] cgroup cannot change from {} to {} ", enforced_.cgroup, cgroup);
    if (enforced_.file != kShutFile)
        return fail(ErrorKind::conflict, what + "while the wall stands",
                    "sallyport down, then run again");
    // It may end as it began, shut: the hooks of the processes outside of it would be gone.
    if (how.trial.count() != 0)
        return fail(ErrorKind::conflict, what + "on trial, out of a host that is shut",
                    "apply it without --confirm; the session that it is applied from is asked "
                    "about all the same");
    return {};
}

// As an adoption does it: programs for that cgroup, over the same maps, into what stands; at the
// cgroup itself they are attached before those at the other one go. Killed half-way, the next
// start goes by the record, and so back. After an error it is for the caller to go back.
Status Wall::move_to_cgroup(const std::string& path, WallNews& news) {
    const Cgroup cgroup = SP_TRY(open_cgroup(cgroup_mount_, path));
    const std::uint32_t zero = 0;
    sp_settings settings =
        SP_TRY(map_lookup<sp_settings>(programs_.maps().meta, zero)).value_or(sp_settings{});
    settings.host_cgroup = cgroup.id;
    settings.host_level = cgroup.level;
    settings.forward_hook = SP_FORWARD_NETFILTER;
    Programs programs =
        SP_TRY(Programs::load({.settings = settings, .pin_dir = pins_.layout_dir()}));
    retired_.push_back(std::move(programs_));
    programs_ = std::move(programs);
    hooks_ = Hooks{};
    guarded_.clear(); // their hooks are still to be taken over
    owners_.reset();
    enforced_.cgroup = path;
    SP_TRY(hooks_.install_owners(programs_, pins_, cgroup));
    if (Hooks::has_sockets(pins_)) deny_packet_sockets(news);
    return install(cgroup, enforced_.xdp, OnRefusal::keep_trying, KeepRunning::no, news);
}

} // namespace sallyport

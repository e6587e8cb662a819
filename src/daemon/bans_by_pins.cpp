// SPDX-License-Identifier: Apache-2.0
// Bans without a daemon: the maps that stand, and the database. The lock of the pins keeps a
// daemon that starts meanwhile out.
#include "daemon/ban_commands.h"
#include "daemon/ban_cut.h"
#include "daemon/ban_lists.h"
#include "daemon/wall.h"
#include "kernel/apply.h"
#include "kernel/bans.h"
#include "kernel/map.h"
#include "kernel/trial.h"

#include <filesystem>
#include <unistd.h>

namespace sallyport {
namespace {

// What of the wall that stands decides about cutting.
struct Standing {
    bool observes = false;
    std::string cgroup = "/";
};

Standing standing_of(const Pins& pins, const std::string& state_dir) {
    Standing standing;
    const Result<Fd> control = open_pinned(pins.map("sp_control"));
    const Result<Fd> slots = open_pinned(pins.map("sp_slots"));
    if (!control || !slots) return standing;
    Maps maps;
    maps.control = control->get();
    maps.slots = slots->get();
    const Result<ControlState> state = control_state(maps);
    const Result<sp_slot> slot = read_slot(maps, state ? state->slot : 0);
    if (!slot) return standing;
    standing.observes = (slot->flags & SP_SLOT_OBSERVE) != 0;
    const Result<std::optional<Enforced>> enforced = load_enforced(state_dir, slot->generation);
    if (enforced && *enforced) standing.cgroup = (*enforced)->cgroup;
    return standing;
}

std::unexpected<Error> no_wall(const Paths& paths) {
    return fail(ErrorKind::not_found, "no daemon runs, and no wall stands in " + paths.bpffs,
                "start it: sallyport run");
}

} // namespace

Result<nlohmann::ordered_json> ban_by_pins(const Paths& paths, const nlohmann::json& request) {
    std::error_code error;
    if (!std::filesystem::exists(paths.bpffs, error)) {
        if (error && error.value() == EACCES)
            return fail(ErrorKind::permission, "the pins are for root only", "run it as root");
        return no_wall(paths);
    }
    const Pins pins = SP_TRY(Pins::lock(paths.bpffs));
    if (!pins.stands()) {
        pins.remove_if_empty();
        return no_wall(paths);
    }
    Result<StandingBans> standing = open_standing_bans(pins.layout_dir());
    if (!standing && standing.error().kind == ErrorKind::not_found)
        return fail(ErrorKind::not_supported,
                    "the wall that stands is of a version that knew no bans",
                    "start the daemon, which brings it up to date: sallyport run");
    if (!standing) return std::unexpected<Error>(std::move(standing).error());
    const std::vector<Interface> interfaces = SP_TRY(list_interfaces());
    std::vector<std::string> notes;
    Bans bans(BansWorld{.maps = standing->maps,
                        .state_dir = paths.state_dir,
                        .clock = system_ban_clock(),
                        .own = own_addresses(interfaces),
                        .read_list = read_ban_list},
              notes);
    const Standing wall = standing_of(pins, paths.state_dir);
    OwnerNames owners(system_owner_sources(wall.cgroup));
    const Peer self{.pid = getpid(), .uid = geteuid(), .gid = getegid()};
    return answer_ban_command(bans, request, self, [&]() -> std::size_t {
        if (wall.observes) return 0;
        const auto is_banned = [&](const Address& peer) { return bans.is_banned(peer); };
        return cut_banned(is_banned, owners, wall.cgroup).ended;
    });
}

} // namespace sallyport

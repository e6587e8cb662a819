// SPDX-License-Identifier: Apache-2.0
#include "cli/drift_world.h"

#include "cli/client.h"
#include "compile/compile.h"
#include "daemon/history.h"
#include "kernel/apply.h"
#include "kernel/map.h"
#include "kernel/namespaces.h"
#include "kernel/pins.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fmt/format.h>

namespace sallyport {
namespace {

namespace fs = std::filesystem;

// The few maps without which nothing can be said.
Status check_present(const Paths& paths, const std::string& layout) {
    std::error_code error;
    if (fs::exists(layout + "/maps/sp_control", error) && fs::exists(layout + "/maps/sp_slots"))
        return {};
    if (error && error.value() == EACCES)
        return fail(ErrorKind::permission, "the pins are for root only", "run it as root");
    if (fs::is_directory(layout, error))
        return fail(ErrorKind::not_found,
                    "half of the pins in " + layout + " are gone, sp_control or sp_slots too",
                    "sallyport run pins them again while it runs; if it does not, sallyport "
                    "down, then start it");
    if (const std::vector<std::string> others = other_layouts(paths.bpffs); !others.empty())
        return fail(ErrorKind::not_supported,
                    "a wall of another version stands in " + others.front() +
                        ", whose maps this one cannot read",
                    "start this version's daemon, which takes it over: sallyport run");
    return fail(ErrorKind::not_found, "no wall stands in " + paths.bpffs + ": nothing to compare",
                "raise it: sallyport run");
}

Result<Enforced> record_of(const Paths& paths, std::uint32_t generation) {
    Result<std::optional<Enforced>> record = load_enforced(paths.state_dir, generation);
    const std::string next = "name the state directory of this wall (--state-dir), or make the "
                             "record anew: sallyport apply FILE";
    if (!record) {
        Error error = std::move(record).error();
        error.kind = ErrorKind::not_found;
        error.hint = next;
        return std::unexpected<Error>(std::move(error));
    }
    if (!*record)
        return fail(ErrorKind::not_found,
                    "there is no record of what is enforced in " + paths.state_dir +
                        ", or it cannot be read",
                    next);
    if ((*record)->generation != generation)
        return fail(ErrorKind::not_found,
                    fmt::format("the record in {} is of generation {}, the kernel enforces {}",
                                paths.state_dir, (*record)->generation, generation),
                    next);
    return **std::move(record);
}

Status check_namespace(const sp_settings& settings) {
    const Result<std::uint64_t> here = netns_cookie();
    if (!here || settings.host_netns == 0 || *here == settings.host_netns) return {};
    return fail(ErrorKind::conflict, "the wall guards another network namespace than this one",
                "run it there: nsenter --net=/proc/PID/ns/net sallyport drift");
}

} // namespace

bool StandingWall::is_named(const std::string& interface) const {
    return std::ranges::any_of(
        enforced.guards(), [&](const std::string& glob) { return glob_matches(glob, interface); });
}

bool StandingWall::is_to_guard(const Interface& interface) const {
    const auto matches = [this](const Interface& one) {
        return !one.is_loopback && one.link != SP_LINK_NONE && one.index < SP_IFINDEX_MAX &&
               is_named(one.name);
    };
    if (!matches(interface)) return false;
    std::size_t depth = 0; // masters form no ring; who knows
    for (unsigned above = interface.master; above != 0 && depth < interfaces.size(); depth++) {
        const auto master = std::ranges::find(interfaces, above, &Interface::index);
        if (master == interfaces.end()) break;
        if (matches(*master)) return false;
        above = master->master;
    }
    return true;
}

std::string StandingWall::mend() const {
    return has_daemon ? "the daemon puts it back within seconds: ask again; if it stays, restart "
                        "sallyport run"
                      : "start the daemon, which puts it back: sallyport run";
}

Result<StandingWall> open_standing_wall(const Paths& paths) {
    StandingWall wall;
    wall.layout = layout_dir_of(paths.bpffs);
    SP_TRY(check_present(paths, wall.layout));
    wall.maps = SP_TRY(open_standing_maps(wall.layout));
    const Maps& maps = wall.maps.maps;
    const std::uint32_t zero = 0;
    if (maps.meta >= 0)
        wall.settings = SP_TRY(map_lookup<sp_settings>(maps.meta, zero)).value_or(sp_settings{});
    SP_TRY(check_namespace(wall.settings));
    wall.control = SP_TRY(control_state(maps));
    wall.slot = SP_TRY(read_slot(maps, wall.control.slot));
    if (wall.slot.generation == 0 || is_aside(wall.slot))
        return fail(ErrorKind::not_found,
                    "no policy is in force: a start or an end of the wall was cut short, or the "
                    "control word was changed",
                    "start the daemon: sallyport run");
    wall.enforced = SP_TRY(record_of(paths, wall.slot.generation));
    wall.interfaces = SP_TRY(list_interfaces());
    wall.has_daemon = ask_daemon(paths.control_socket(), {{"cmd", "status"}}).has_value();
    return wall;
}

Result<PolicySource> kept_policy_of(const Enforced& enforced, const Paths& paths) {
    const PolicyHistory history(paths.state_dir);
    std::optional<HistoryEntry> best;
    const auto rank = [&](const HistoryEntry& entry) {
        if (entry.generation == enforced.began()) return 2;
        return entry.is_good() ? 1 : 0;
    };
    for (HistoryEntry& entry : history.entries()) { // the newest first
        if (!enforced.is_of(entry.sha256, entry.contents())) continue;
        if (!best || rank(entry) > rank(*best)) best = std::move(entry);
    }
    if (!best)
        return fail(ErrorKind::not_found, "the policy in force is not kept in the history",
                    "apply it again, which keeps it: sallyport apply " + enforced.file);
    return history.load(*best);
}

Result<MapImage> compiled_again(const PolicySource& source, const Enforced& enforced,
                                std::uint32_t generation) {
    CompileInput input;
    input.generation = generation;
    input.interfaces = enforced.compiled_for;
    input.counters = enforced.counters;
    if (input.interfaces.empty()) { // a record of an earlier version
        const std::vector<Interface> now = SP_TRY(list_interfaces());
        for (const Interface& interface : now) input.interfaces.push_back(interface.name);
    }
    return compile(source.policy, input);
}

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
#include "daemon/stand_up.h"

#include "daemon/enforced.h"
#include "daemon/lockout.h"
#include "daemon/log.h"
#include "daemon/shut_policy.h"
#include "kernel/apply.h"
#include "kernel/map.h"
#include "kernel/trial.h"

#include <algorithm>
#include <csignal>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace sallyport {

void block_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

BootPolicy choose_policy(const Pins& pins, const RunOptions& options) {
    std::optional<PolicySource> file = read_policy(options.policy_file);
    if (pins.stands())
        return {.from = BootPolicy::From::standing, .source = std::move(file), .why = ""};
    return boot_policy(options.paths.state_dir, file);
}

namespace {

// Of another version, whose record can be read: it has let everything pass till now.
bool stands_observing(const Pins& pins, const std::string& state_dir) {
    if (pins.stands() || pins.others().empty()) return false;
    const Result<std::optional<Enforced>> record = load_settled(state_dir);
    return record && *record && (*record)->observe;
}

// The control word is the same in all layouts; when it cannot be read one may run.
bool trial_runs_in(const std::string& layout) {
    const Result<Fd> control = open_pinned(layout + "/maps/sp_control");
    if (!control) return true;
    Maps maps;
    maps.control = control->get();
    const Result<ControlState> state = control_state(maps);
    return !state || state->phase == TrialPhase::runs;
}

// Nobody traces a service manager's start to who asked for it: whoever is logged in counts. At a
// boot nobody is.
Status refuse_lockout(const Policy& policy, const std::string& file) {
    const Result<std::vector<std::string>> shut = find_lockouts(policy, getpid());
    if (!shut || shut->empty()) return {};
    return fail(ErrorKind::conflict,
                fmt::format("{} would enforce at once, and shut out whoever is logged in: {}; "
                            "nothing was changed",
                            file, fmt::join(*shut, "; ")),
                fmt::format("allow it by a rule, or start with mode = \"observe\" and try it: "
                            "sallyport apply {} --confirm 60s; sallyport run --force starts all "
                            "the same",
                            file));
}

} // namespace

Status refuse_leap(const Pins& pins, const BootPolicy& boot, const RunOptions& options) {
    const bool is_first =
        boot.from == BootPolicy::From::file &&
        (pins.others().empty() || stands_observing(pins, options.paths.state_dir));
    if (!is_first || options.force || !boot.source ||
        boot.source->policy.host.mode != Mode::enforce)
        return {};
    if (!comes_by_session(getpid())) return refuse_lockout(boot.source->policy, boot.source->file);
    return fail(
        ErrorKind::conflict,
        fmt::format("{} would enforce at once, and this start comes from an ssh session that it "
                    "may cut: nothing was changed",
                    boot.source->file),
        fmt::format("start with mode = \"observe\", then set \"enforce\" and try it: sallyport "
                    "apply {} --confirm 60s; --force starts all the same",
                    boot.source->file));
}

Status refuse_takeover(const Pins& pins, const BootPolicy& boot, const RunOptions& options) {
    const std::vector<std::string> others = pins.others();
    if (pins.stands() || others.empty()) return {};
    if (boot.from == BootPolicy::From::shut)
        return fail(ErrorKind::conflict,
                    "the wall of another version is not taken over, and stands as it is: " +
                        boot.why,
                    "go back to that version and apply a policy, or: sallyport down, which opens "
                    "the host, and run again");
    const Result<std::optional<Enforced>> staged = load_staged(options.paths.state_dir);
    if (options.force || !staged || !*staged || !(*staged)->panic ||
        !std::ranges::any_of(others, trial_runs_in))
        return {};
    return fail(ErrorKind::conflict,
                "a panic is on, and the wall of another version keeps it: taking that over would "
                "end it",
                "sallyport panic --off by that version, or sallyport run --force, which ends it");
}

namespace {

// What shut the host may be over: a user of the policy is known by now, or a disk is mended.
void leave_shut(const RunOptions& options, Wall& wall, WallNews& news) {
    const BootPolicy boot = boot_policy(options.paths.state_dir, std::nullopt);
    if (boot.from == BootPolicy::From::shut) say_shut(boot, options.policy_file);
    if (boot.from != BootPolicy::From::kept) return;
    const Status changed =
        wall.change(*boot.source, {.trial = {}, .may_switch = {}, .waits_for_nics = true}, news);
    if (changed)
        spdlog::warn("the last good policy can be used again and is in force");
    else
        log_error(Error(changed.error()).context("the host stays shut"));
}

Result<Wall> adopt(const RunOptions& options, Pins pins, const BootPolicy& boot, WallNews& news) {
    Wall wall = SP_TRY(Wall::adopt(std::move(pins), options.paths.state_dir, news));
    spdlog::info("adopted the standing wall, generation {}", wall.enforced().generation);
    if (wall.enforced().file == kShutFile) {
        leave_shut(options, wall, news);
    } else if (boot.source && wall.enforced().is_of(boot.source->sha256, boot.source->contents)) {
        wall.know(boot.source->policy, news);
    } else if (boot.source) {
        spdlog::warn("{} differs from what is enforced; a restart never applies it by itself: "
                     "send SIGHUP to load it",
                     options.policy_file);
    }
    return wall;
}

} // namespace

Result<Wall> stand_up(const RunOptions& options, Pins pins, BootPolicy& boot, WallNews& news) {
    if (pins.stands()) return adopt(options, std::move(pins), boot, news);
    const std::string& state_dir = options.paths.state_dir;
    const bool is_first = boot.from == BootPolicy::From::file;
    const bool takes_over = !pins.others().empty();
    const Wall::Raising how{.running = options.running,
                            .waits_for_nics = !is_first || options.nics == MissingNics::wait};
    if (boot.from == BootPolicy::From::shut) say_shut(boot, options.policy_file);
    Result<Wall> wall = Wall::raise(std::move(pins), *boot.source, how, state_dir, news);
    if (wall || takes_over || boot.from != BootPolicy::From::kept) return wall;
    log_error(wall.error());
    boot = boot_shut(state_dir, boot.source, wall.error().text());
    say_shut(boot, options.policy_file);
    Pins again = SP_TRY(Pins::lock(options.paths.bpffs));
    return Wall::raise(std::move(again), *boot.source, how, state_dir, news);
}

} // namespace sallyport

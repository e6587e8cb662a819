// SPDX-License-Identifier: Apache-2.0
#include "daemon/stand_up.h"

#include "daemon/enforced.h"
#include "daemon/lockout.h"
#include "daemon/log.h"
#include "daemon/shut_policy.h"

#include <csignal>
#include <fmt/format.h>
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
    if (pins.stands() || !pins.others().empty())
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

} // namespace

Status refuse_leap(const Pins& pins, const BootPolicy& boot, const RunOptions& options) {
    const bool is_first =
        boot.from == BootPolicy::From::file || (boot.from == BootPolicy::From::standing &&
                                                stands_observing(pins, options.paths.state_dir));
    if (!is_first || options.force || !boot.source ||
        boot.source->policy.host.mode != Mode::enforce || !comes_by_session(getpid()))
        return {};
    return fail(
        ErrorKind::conflict,
        fmt::format("{} would enforce at once, and this start comes from an ssh session that it "
                    "may cut: nothing was changed",
                    boot.source->file),
        fmt::format("start with mode = \"observe\", then set \"enforce\" and try it: sallyport "
                    "apply {} --confirm 60s; --force starts all the same",
                    boot.source->file));
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
    const bool is_first =
        boot.from == BootPolicy::From::file || boot.from == BootPolicy::From::standing;
    const Wall::Raising how{.running = options.running,
                            .waits_for_nics = !is_first || options.nics == MissingNics::wait};
    if (boot.from == BootPolicy::From::shut) say_shut(boot, options.policy_file);
    Result<Wall> wall = Wall::raise(std::move(pins), *boot.source, how, state_dir, news);
    if (wall || boot.from != BootPolicy::From::kept) return wall;
    log_error(wall.error());
    boot = boot_shut(state_dir, boot.source, wall.error().text());
    say_shut(boot, options.policy_file);
    Pins again = SP_TRY(Pins::lock(options.paths.bpffs));
    return Wall::raise(std::move(again), *boot.source, how, state_dir, news);
}

} // namespace sallyport

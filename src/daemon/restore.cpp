// SPDX-License-Identifier: Apache-2.0
#include "daemon/restore.h"

#include "daemon/log.h"
#include "daemon/policy_keeper.h"
#include "daemon/stand_up.h"

#include <spdlog/spdlog.h>

namespace sallyport {
namespace {

constexpr int kExitDone = 0;
constexpr int kExitShut = 1; // or nothing was done: the start would enforce over ssh
constexpr int kExitBadPolicy = 2;
// `guard` holds the pins for some milliseconds, and there may be many of it.
constexpr std::chrono::milliseconds kPatience{5000};

bool stands(const Pins& pins) {
    return pins.stands() || !pins.others().empty();
}

} // namespace

Result<int> restore_wall(const RunOptions& options) {
    start_logging(options.log_level);
    Pins pins = SP_TRY(Pins::lock(options.paths.bpffs, kPatience));
    if (stands(pins)) {
        spdlog::info("a wall stands already, and is left as it is");
        return kExitDone;
    }
    BootPolicy boot = boot_policy(options.paths.state_dir, read_policy(options.policy_file));
    if (!boot.source) {
        static_cast<void>(pins.remove());
        return kExitBadPolicy;
    }
    if (const Status leap = refuse_leap(pins, boot, options); !leap) {
        log_error(leap.error());
        static_cast<void>(pins.remove());
        return kExitShut;
    }
    RunOptions patient = options;
    patient.nics = MissingNics::wait;
    WallNews news;
    Result<Wall> raised = stand_up(patient, std::move(pins), boot, news);
    log_news(news);
    if (!raised) return std::unexpected<Error>(std::move(raised).error());
    Wall wall = *std::move(raised);
    PolicyNews later;
    // NICs that came while it was built; the udev rule has waited for the pins till now.
    const Status followed = wall.follow_interfaces(later.wall);
    PolicyKeeper keeper(wall, options.paths.state_dir);
    if (boot.from == BootPolicy::From::file)
        keeper.note_first(*boot.source, later);
    else
        keeper.note_restored(later);
    log_news(later.wall);
    if (!followed) log_error(followed.error());
    if (boot.from == BootPolicy::From::shut) return kExitShut;
    spdlog::info("restored {}, {}: generation {}", boot.source->file,
                 wall.enforced().observe ? "observing" : "enforcing", wall.enforced().generation);
    return kExitDone;
}

} // namespace sallyport

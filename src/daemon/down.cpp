// SPDX-License-Identifier: Apache-2.0
#include "daemon/down.h"

#include "daemon/history.h"
#include "daemon/kernel_settings.h"
#include "daemon/vlan_offloads.h"
#include "kernel/hooks.h"
#include "kernel/pins.h"

#include <filesystem>

namespace sallyport {

namespace {

void restore_machine(const Paths& paths) {
    VlanOffloads(paths.state_dir).restore();
    KernelSettings(paths.state_dir).restore();
}

// After the last hook: killed before, the last good policy is still the one to come back.
Status note_down(const Paths& paths) {
    return PolicyHistory(paths.state_dir)
        .note_down()
        .context(
            "the wall is down, and the next start would take the last good policy, not the file");
}

} // namespace

Status take_down(const Paths& paths) {
    std::error_code error;
    if (!std::filesystem::exists(paths.bpffs, error)) {
        if (error && error.value() == EACCES)
            return fail(ErrorKind::permission, "the pins are for root only", "run it as root");
        remove_clsact_filters(); // of a `down` that died before its last step
        restore_machine(paths);
        return note_down(paths);
    }
    const Pins pins = SP_TRY(Pins::lock(paths.bpffs));
    SP_TRY(pins.remove_others());
    SP_TRY(pins.remove());
    remove_clsact_filters();
    restore_machine(paths);
    return note_down(paths);
}

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
#include "kernel/trial.h"

#include "base/boot_clock.h"
#include "kernel/apply.h"
#include "kernel/control_page.h"
#include "sallyport/abi/control.h"

#include <fmt/format.h>

namespace sallyport {
namespace {

std::unexpected<Error> no_trial() {
    return fail(ErrorKind::not_found, "no policy is on trial");
}

std::unexpected<Error> too_late() {
    return fail(ErrorKind::conflict, "the trial is over, and the policy before it is in force",
                "apply it again");
}

Status check_filled(const Maps& maps, std::uint32_t slot) {
    const sp_slot header = SP_TRY(read_slot(maps, slot));
    if (header.generation == 0)
        return fail(ErrorKind::internal, fmt::format("policy slot {} was never filled", slot));
    return {};
}

} // namespace

ControlState control_state(std::uint64_t word, std::uint64_t now_ms) {
    const std::uint64_t deadline = sp_control_deadline_ms(word);
    if (deadline == 0) return {.slot = sp_control_active(word)};
    if (now_ms > deadline)
        return {.slot = sp_control_fallback(word),
                .other = sp_control_active(word),
                .deadline_ms = deadline,
                .phase = TrialPhase::over};
    return {.slot = sp_control_active(word),
            .other = sp_control_fallback(word),
            .deadline_ms = deadline,
            .phase = TrialPhase::runs};
}

std::uint64_t boot_ms() {
    return kernel_boot_ns() / 1000000;
}

Result<ControlState> control_state(const Maps& maps) {
    return control_state(SP_TRY(control_word(maps)), boot_ms());
}

bool is_panic(const sp_slot& slot, const ControlState& state) {
    return state.phase == TrialPhase::runs &&
           ((slot.flags & SP_SLOT_PANIC) != 0 || state.deadline_ms == kTrialForEver);
}

Status begin_trial(const Maps& maps, std::uint32_t slot, std::uint64_t deadline_ms) {
    SP_TRY(check_filled(maps, slot));
    ControlPage page = SP_TRY(ControlPage::open(maps.control));
    std::uint64_t word = page.load();
    if (sp_control_deadline_ms(word) != 0)
        return fail(ErrorKind::conflict, "a policy is on trial already",
                    "sallyport confirm, or sallyport rollback");
    if (!page.exchange(word, sp_control_word(slot, sp_control_active(word), deadline_ms)))
        return fail(ErrorKind::conflict, "somebody else switched the policy meanwhile");
    return {};
}

Status move_to(const Maps& maps, std::uint32_t slot) {
    SP_TRY(check_filled(maps, slot));
    ControlPage page = SP_TRY(ControlPage::open(maps.control));
    std::uint64_t word = page.load();
    const ControlState state = control_state(word, boot_ms());
    if (state.phase == TrialPhase::over) return too_late();
    const std::uint64_t moved =
        sp_control_word(slot, sp_control_fallback(word), sp_control_deadline_ms(word));
    if (!page.exchange(word, moved))
        return fail(ErrorKind::conflict, "somebody else switched the policy meanwhile");
    return {};
}

Status confirm_trial(const Maps& maps) {
    ControlPage page = SP_TRY(ControlPage::open(maps.control));
    std::uint64_t word = page.load();
    const ControlState state = control_state(word, boot_ms());
    if (state.phase == TrialPhase::none) return no_trial();
    if (state.phase == TrialPhase::over) return too_late();
    if (!page.exchange(word, sp_control_word(state.slot, 0, 0))) return too_late();
    // Held up between the look at the clock and the store: the programs have gone back.
    if (boot_ms() <= state.deadline_ms) return {};
    page.store(sp_control_word(state.other, 0, 0));
    return too_late();
}

Status end_trial(const Maps& maps) {
    ControlPage page = SP_TRY(ControlPage::open(maps.control));
    std::uint64_t word = page.load();
    do {
        if (sp_control_deadline_ms(word) == 0) return no_trial();
    } while (!page.exchange(word, sp_control_word(sp_control_fallback(word), 0, 0)));
    return {};
}

} // namespace sallyport

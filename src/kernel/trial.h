// SPDX-License-Identifier: Apache-2.0
#pragma once
// A policy on trial, as the control word has it. The programs themselves go back to the
// fallback past the deadline (boot time, so that no clock step moves it, and a suspended
// machine's trial ends too); what is here only writes that down, sooner or later.
#include "base/result.h"
#include "kernel/maps.h"
#include "sallyport/abi/decision.h"

#include <cstdint>

namespace sallyport {

enum class TrialPhase : unsigned char {
    none,
    runs,
    over, // not confirmed in time: the programs use the fallback, the word does not say so yet
};

struct ControlState {
    std::uint32_t slot = 0;  // in force; 0: none, which denies everything
    std::uint32_t other = 0; // the fallback while a trial runs, its slot once it is over; else 0
    std::uint64_t deadline_ms = 0; // CLOCK_BOOTTIME; 0 without a trial
    TrialPhase phase = TrialPhase::none;
    bool operator==(const ControlState&) const = default;
};

[[nodiscard]] ControlState control_state(std::uint64_t word, std::uint64_t now_ms);
[[nodiscard]] Result<ControlState> control_state(const Maps& maps);
[[nodiscard]] std::uint64_t boot_ms();
// A deadline that does not come: the last the control word has room for.
inline constexpr std::uint64_t kTrialForEver = (std::uint64_t{1} << 48) - 1;

// Of a panic: by its flag, or, of a version that set none, by a trial that has no end.
[[nodiscard]] bool is_panic(const sp_slot& slot, const ControlState& state);

// That slot until the deadline, then what is in force now. conflict while a trial runs.
[[nodiscard]] Status begin_trial(const Maps& maps, std::uint32_t slot, std::uint64_t deadline_ms);
// The same policy in another slot, with the trial that runs, if one does. conflict when that
// is over.
[[nodiscard]] Status move_to(const Maps& maps, std::uint32_t slot);
// For good. not_found: there is no trial; conflict: it is over, and the fallback stays.
[[nodiscard]] Status confirm_trial(const Maps& maps);
// The fallback, at once or after the fact. not_found: there is no trial, running or over.
[[nodiscard]] Status end_trial(const Maps& maps);

} // namespace sallyport

// SPDX-License-Identifier: Apache-2.0
// What the control word says of a trial, by the clock.
#include "kernel/trial.h"
#include "sallyport/abi/control.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;

TEST_CASE("until its deadline a trial rules, after it the fallback, as the programs have it") {
    const std::uint64_t word = sp_control_word(2, 1, 5000);
    for (const std::uint64_t now : {0ull, 4999ull, 5000ull})
        CHECK(control_state(word, now) ==
              ControlState{.slot = 2, .other = 1, .deadline_ms = 5000, .phase = TrialPhase::runs});
    CHECK(control_state(word, 5001) ==
          ControlState{.slot = 1, .other = 2, .deadline_ms = 5000, .phase = TrialPhase::over});
}

TEST_CASE("without a deadline there is no trial, whatever the fallback says") {
    CHECK(control_state(sp_control_word(3, 1, 0), 1) ==
          ControlState{.slot = 3, .other = 0, .deadline_ms = 0, .phase = TrialPhase::none});
    CHECK(control_state(0, 1).slot == 0);
}

TEST_CASE("a panic is known by the slot's flag, or by a trial without an end, while it runs") {
    sp_slot plain{};
    sp_slot flagged{};
    flagged.flags = SP_SLOT_PANIC;
    const auto at = [](std::uint64_t deadline, TrialPhase phase) {
        return ControlState{.slot = 2, .other = 1, .deadline_ms = deadline, .phase = phase};
    };
    CHECK(is_panic(flagged, at(5000, TrialPhase::runs)));
    CHECK(is_panic(plain, at(kTrialForEver, TrialPhase::runs)));
    CHECK_FALSE(is_panic(plain, at(5000, TrialPhase::runs)));
    CHECK_FALSE(is_panic(flagged, at(5000, TrialPhase::over)));
    CHECK_FALSE(is_panic(flagged, at(0, TrialPhase::none)));
}

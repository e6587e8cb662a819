// SPDX-License-Identifier: Apache-2.0
#pragma once
// Everything that one packet left behind: the action, the counters that rose,
// the events. They must tell one story; where they do not, `disagreements`
// says how, and the packet equals no expectation.
#include "sallyport/abi/event.h"
#include "sallyport/abi/reason.h"

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

namespace sallyport::test {

struct Seen {
    bool passed = false;
    sp_reason reason = SP_REASON_NONE; // whose counter rose, as drop or would-be drop
    bool would_drop = false;           // observe mode: passed in spite of the reason
    std::string rule;                  // named by the event, or whose counters rose; empty: none
    std::vector<sp_event> events;
    std::vector<std::string> disagreements;
};

struct Expected {
    bool passed = false;
    sp_reason reason = SP_REASON_NONE;
    bool would_drop = false;
};

[[nodiscard]] inline Expected passes() {
    return {.passed = true};
}
[[nodiscard]] inline Expected dropped(sp_reason reason) {
    return {.passed = false, .reason = reason};
}
[[nodiscard]] inline Expected would_be_dropped(sp_reason reason) {
    return {.passed = true, .reason = reason, .would_drop = true};
}

[[nodiscard]] bool operator==(const Seen& seen, const Expected& expected);
[[nodiscard]] const char* slug_of(sp_reason reason); // "none" for none
std::ostream& operator<<(std::ostream& out, const Seen& seen);
std::ostream& operator<<(std::ostream& out, const Expected& expected);

} // namespace sallyport::test

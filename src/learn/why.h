// SPDX-License-Identifier: Apache-2.0
#pragma once
// Why something was left out of what is learned.
#include <cstdint>

namespace sallyport::learn {

enum class Why : std::uint8_t {
    closed_port,  // nobody listens there
    scanner,      // of a source that touched many ports
    one_off,      // fewer openings than asked for
    stranger,     // a public source of what the catalogue keeps inside
    too_many,     // networks, or rules
    other_reason, // refused for what no allow rule mends
    no_port,      // to port 0, or to none that was told: no rule can name it
    no_room,      // not kept: too many things at once
};
[[nodiscard]] const char* to_string(Why why);  // "closed-port"
[[nodiscard]] const char* meaning_of(Why why); // for the comment above such a list

} // namespace sallyport::learn

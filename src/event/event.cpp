// SPDX-License-Identifier: Apache-2.0
// Questions to an event.
#include "event/event.h"

#include "sallyport/abi/types.h"

namespace sallyport {

const std::optional<Address>& remote_of(const Event& event) {
    return event.direction == SP_EGRESS ? event.dst : event.src;
}

bool is_about_packet(const Event& event) {
    return static_cast<std::uint16_t>(event.kind) <= 0xff;
}

Event for_everybody(Event event) {
    event.cmdline.clear();
    return event;
}

} // namespace sallyport
